import Collections
import FluxCore

/// What waits on one loop for room in lanes that are at their bound (design 6): senders wait, in the order in which they came,
/// until the lane has committed something, and are refused when that takes too long or too many wait (I8). Confined to its
/// loop; without I/O.
final class LaneGate {
    /// How long one waits; with the time that a lane holds a change, less than a command's deadline.
    static let patienceMilliseconds: UInt64 = 20_000
    /// How many may wait for one lane.
    static let maximumWaiting = 10_000

    private struct Waiter {
        let since: UInt64
        let proceed: () -> Void
        let giveUp: () -> Void
    }

    private struct Queue {
        var waiters: Deque<Waiter> = []
        /// The lane has refused, and has committed nothing since.
        var isClosed = false
    }

    private var queues: [Queue]
    /// A waiter that is let through and finds the lane full again keeps its place.
    private var isLettingThrough = false

    /// - Parameter lanes: how many lanes the node has.
    init(lanes: Int) { queues = Array(repeating: Queue(), count: max(1, lanes)) }

    /// How many wait.
    var waitingCount: Int { queues.reduce(0) { $0 + $1.waiters.count } }

    /// Whether who comes now has to wait: the lane is full, or others wait for it.
    func isClosed(lane: Int) -> Bool { queues[lane].isClosed || (!queues[lane].waiters.isEmpty && !isLettingThrough) }

    /// Waits for room; one of the two is called later, once, on this loop.
    /// - Parameters:
    ///   - proceed: tries again, and waits again if the lane is full still.
    ///   - giveUp: it has taken too long.
    /// - Returns: false, without effect, if too many wait already.
    func wait(
        forLane lane: Int, at now: UInt64, proceed: @escaping () -> Void, giveUp: @escaping () -> Void
    ) -> Bool {
        let waiter = Waiter(since: now, proceed: proceed, giveUp: giveUp)
        if isLettingThrough {
            queues[lane].waiters.prepend(waiter)
        } else {
            guard queues[lane].waiters.count < Self.maximumWaiting else { return false }
            queues[lane].waiters.append(waiter)
        }
        queues[lane].isClosed = true
        return true
    }

    /// Lanes have ended some of what they held: lets through who waits, until one of them finds the lane full again.
    func open() {
        for lane in queues.indices where queues[lane].isClosed {
            queues[lane].isClosed = false
            isLettingThrough = true
            while !queues[lane].isClosed, let next = queues[lane].waiters.popFirst() { next.proceed() }
            isLettingThrough = false
        }
    }

    /// Gives up for those who have waited too long.
    func expire(at now: UInt64) {
        for lane in queues.indices {
            while let first = queues[lane].waiters.first, now >= first.since + Self.patienceMilliseconds {
                queues[lane].waiters.removeFirst()
                first.giveUp()
            }
        }
    }
}
