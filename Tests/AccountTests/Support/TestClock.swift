import FluxCore
import NIOConcurrencyHelpers

/// A clock that moves when the test says so.
final class TestClock: Sendable {
    private let moment: NIOLockedValueBox<Timestamp>

    init(_ start: Timestamp = .now()) {
        moment = NIOLockedValueBox(start)
    }

    var now: Timestamp { moment.withLockedValue { $0 } }

    func advance(seconds: Int64) {
        moment.withLockedValue { $0 = $0.adding(seconds: seconds) }
    }
}
