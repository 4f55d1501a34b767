import Collections

/// Paces the opening of sessions when thousands come back at once: so many at a time, the rest in order of arrival. Once there
/// is no place left, the next begin when three quarters are free again: sessions that begin together ask Postgres together.
/// A value without I/O; bounded.
struct OpeningQueue<Element> {
    private var waiting: Deque<Element> = []
    private(set) var running = 0
    private var isFilling = true
    let concurrent: Int
    let capacity: Int

    /// - Parameters:
    ///   - concurrent: how many may be under way; at least 1.
    ///   - waiting: how many may wait for their turn.
    init(concurrent: Int, waiting capacity: Int) {
        precondition(concurrent >= 1, "nothing would ever open")
        self.concurrent = concurrent
        self.capacity = capacity
    }

    /// Queues one. - Returns: false if too many wait.
    mutating func enqueue(_ element: Element) -> Bool {
        guard waiting.count < capacity else { return false }
        waiting.append(element)
        return true
    }

    /// The next one to begin now, if there is one and a place for it. Each is followed by one `finished`.
    mutating func next() -> Element? {
        if running <= concurrent / 4 { isFilling = true }
        guard isFilling, running < concurrent, let element = waiting.popFirst() else { return nil }
        running += 1
        if running == concurrent { isFilling = false }
        return element
    }

    mutating func finished() {
        precondition(running > 0, "an opening finished that was not begun")
        running -= 1
    }
}
