import Distributed

/// Takes what a distributed func returned or threw.
public struct CallResultHandler: DistributedTargetInvocationResultHandler {
    /// What arguments and results must be.
    public typealias SerializationRequirement = any WireCodable

    let returned: @Sendable (any WireCodable) -> Void
    let threw: @Sendable (any Error) -> Void

    /// The func returned a value.
    public func onReturn<Success: WireCodable>(value: Success) async throws {
        returned(value)
    }

    /// The func returned.
    public func onReturnVoid() async throws {
        returned(Nothing())
    }

    /// The func threw.
    public func onThrow<Err: Error>(error: Err) async throws {
        threw(error)
    }
}
