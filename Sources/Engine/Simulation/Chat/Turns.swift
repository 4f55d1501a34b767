/// One after the other, in order of arrival: what `TurnQueue` does for tasks.
final class Turns {
    private var isTaken = false
    private var waiting: [() -> Void] = []

    var isIdle: Bool { !isTaken }

    /// Calls `body` when it is its turn; `leave` ends the turn.
    func enter(_ body: @escaping () -> Void) {
        guard isTaken else {
            isTaken = true
            return body()
        }
        waiting.append(body)
    }

    func leave() {
        if waiting.isEmpty { isTaken = false } else { waiting.removeFirst()() }
    }

    /// Nobody's turn comes any more.
    func end() { waiting = [] }
}
