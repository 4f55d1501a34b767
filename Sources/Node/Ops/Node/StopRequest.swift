import NIOConcurrencyHelpers

/// A wish to stop, made once from any thread and waited for by tasks.
final class StopRequest: Sendable {
    private enum State {
        case waiting([CheckedContinuation<Void, Never>])
        case made
    }

    private let state = NIOLockedValueBox(State.waiting([]))

    /// Whether it was made.
    var isMade: Bool {
        if case .made = state.withLockedValue({ $0 }) { true } else { false }
    }

    /// Makes it. Further calls do nothing.
    @Sendable func make() {
        let waiting = state.withLockedValue { state -> [CheckedContinuation<Void, Never>] in
            guard case .waiting(let waiting) = state else { return [] }
            state = .made
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns when it is made.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isMade = state.withLockedValue { state in
                guard case .waiting(let others) = state else { return true }
                state = .waiting(others + [continuation])
                return false
            }
            if isMade { continuation.resume() }
        }
    }
}
