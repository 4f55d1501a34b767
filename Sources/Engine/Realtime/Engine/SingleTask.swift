import NIOConcurrencyHelpers

/// Work that runs once at a time, whoever asks for it, and has one who can end it. Safe from every thread.
final class SingleTask: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        /// How often work was begun; tells whether `task` is still the one that a piece of work knows as its own.
        var count: UInt64 = 0
    }

    private let state = NIOLockedValueBox(State())

    /// Begins the work, unless it is under way. Where it was cancelled and has not ended, it begins after that.
    /// - Returns: what is under way now.
    @discardableResult
    func begin(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        state.withLockedValue { state in
            let former = state.task
            if let former, !former.isCancelled { return former }
            state.count += 1
            let number = state.count
            let task = Task {
                await former?.value
                await work()
                self.ended(number)
            }
            state.task = task
            return task
        }
    }

    /// Cancels what is under way.
    func cancel() {
        let running = state.withLockedValue(\.task)
        running?.cancel()
    }

    /// Cancels what is under way, and returns when it has ended.
    func stop() async {
        let running = state.withLockedValue(\.task)
        running?.cancel()
        await running?.value
    }

    private func ended(_ number: UInt64) {
        state.withLockedValue { state in
            if state.count == number { state.task = nil }
        }
    }
}
