import Collections

/// Lets connections begin at a pace, first come, first served: so many a second, and so many under way at a time. A value; the
/// shell tells it the time.
struct ConnectPacer<Waiter> {
    private static var slack: UInt64 { 10_000_000 }

    private let interval: UInt64
    private let width: Int
    private var waiting: Deque<Waiter> = []
    private var underWay = 0
    private var next: UInt64 = 0

    /// - Parameters:
    ///   - rate: connections a second.
    ///   - width: how many may be under way.
    init(rate: Double, width: Int) {
        interval = UInt64(1e9 / max(0.001, rate))
        self.width = max(1, width)
    }

    mutating func wait(_ waiter: Waiter) { waiting.append(waiter) }

    /// Whoever may begin at that time; nil if nobody may yet.
    mutating func begin(at now: UInt64) -> Waiter? {
        guard underWay < width, now >= next, let waiter = waiting.popFirst() else { return nil }
        underWay += 1
        // A pause is not made up for by a burst, only what the time between two looks takes.
        next = max(next, now > Self.slack ? now - Self.slack : 0) + interval
        return waiter
    }

    /// One that had begun is done, however it went.
    mutating func done() { underWay -= 1 }
}
