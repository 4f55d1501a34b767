import Logging
import NIOConcurrencyHelpers

/// Keeps the reasons that are logged as errors.
final class LogRecorder: Sendable {
    private struct Handler: LogHandler {
        let recorder: LogRecorder
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        var metadataProvider: Logger.MetadataProvider?

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            guard event.level >= .error, let reason = event.metadata?["reason"] else { return }
            recorder.reasons.withLockedValue { $0.append("\(reason)") }
        }
    }

    private let reasons = NIOLockedValueBox<[String]>([])

    var errors: [String] { reasons.withLockedValue { $0 } }
    var logger: Logger { Logger(label: "test") { _ in Handler(recorder: self) } }
}
