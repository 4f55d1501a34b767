/// Lets one request at a time in, in order of arrival, as `TurnQueue` does with tasks.
struct TurnLine {
    private var isTaken = false
    private var waiting: [() -> Void] = []

    /// - Returns: whether it is the body's turn now; else it is kept.
    mutating func enter(_ body: @escaping () -> Void) -> Bool {
        guard isTaken else {
            isTaken = true
            return true
        }
        waiting.append(body)
        return false
    }

    /// - Returns: whose turn it is now.
    mutating func leave() -> (() -> Void)? {
        guard waiting.isEmpty else { return waiting.removeFirst() }
        isTaken = false
        return nil
    }
}
