import FluxCore
import FluxStore
import Logging

/// Turns whatever a route threw into the refusal that the client is told.
enum Failure {
    /// Business errors pass as they are. A store that surely did nothing is 503/130000, one of whom that is not known is
    /// 503/0, both with `Retry-After`. Anything else is a defect of ours: logged in full, and told to the client as a bare
    /// 500, which libraries repeat, POSTs included. That is safe because actors answer only after their commit, and an
    /// outcome that is not known has a case of its own.
    static func refusal(for error: any Error, logger: Logger) -> APIError {
        switch error {
        case let error as APIError:
            return error
        case StoreError.overloaded, StoreError.fenced, StoreError.closed:
            return .notCommitted
        case StoreError.unavailable, StoreError.timedOut, is CancellationError:
            logger.warning("request refused: the store did not answer", metadata: ["error": "\(error)"])
            return .serviceUnavailable
        case StorageError.unavailable(let reason):
            logger.warning("request refused: the file storage did not answer", metadata: ["error": "\(reason)"])
            return .serviceUnavailable
        default:
            logger.error("request failed", metadata: ["error": "\(String(reflecting: error))"])
            return .internalFailure
        }
    }
}
