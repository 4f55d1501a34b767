import Collections

/// Lets one task at a time into a part of an actor that spans waits, in order of arrival. Confined to its actor; bounded.
final class TurnQueue {
    static let maximumWaiting = 10_000

    private var isTaken = false
    private var waiting: Deque<CheckedContinuation<Void, Never>> = []

    var isIdle: Bool { !isTaken }

    /// Waits for the turn; each success is followed by one `leave`.
    /// - Returns: false if too many wait.
    func enter(isolation: isolated (any Actor)? = #isolation) async -> Bool {
        guard isTaken else {
            isTaken = true
            return true
        }
        guard waiting.count < Self.maximumWaiting else { return false }
        await withCheckedContinuation { waiting.append($0) }
        return true
    }

    /// Hands the turn to the next one.
    func leave() {
        if let next = waiting.popFirst() { next.resume() } else { isTaken = false }
    }
}
