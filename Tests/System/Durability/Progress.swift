import NIOConcurrencyHelpers

/// Counts the announcements of a round that clients have seen and strikes at one of them, on the very thread that read it:
/// so close behind it the message is often not committed yet.
final class Progress: Sendable {
    private struct State {
        var count = 0
        var strike: (at: Int, action: @Sendable () -> Void)?
        var isStruck = false
    }

    private let state = NIOLockedValueBox(State())

    var count: Int { state.withLockedValue(\.count) }
    /// Whether the strike has been done.
    var isStruck: Bool { state.withLockedValue(\.isStruck) }

    /// Does `action` at that announcement.
    func strike(at count: Int, _ action: @escaping @Sendable () -> Void) {
        state.withLockedValue { $0.strike = (count, action) }
    }

    func announced() {
        let action: (@Sendable () -> Void)? = state.withLockedValue { state in
            state.count += 1
            guard let strike = state.strike, state.count >= strike.at else { return nil }
            state.strike = nil
            return strike.action
        }
        guard let action else { return }
        action()
        state.withLockedValue { $0.isStruck = true }
    }

    /// Waits for the strike.
    func waitForStrike() async throws {
        _ = try await eventually(
            "the announcement at which the fault strikes", within: .seconds(120), every: .milliseconds(2)
        ) {
            isStruck ? true : nil
        }
    }
}
