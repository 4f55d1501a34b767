import DequeModule
import NIOCore

/// A piece of work for an event loop.
public typealias LoopWork = @Sendable () -> Void

/// What one loop collects while it works, and does when it has done the rest: its turn.
///
/// The end of a turn is one `execute`, scheduled by the first thing that is collected; NIO runs it after the socket events
/// and the tasks that were there before. Then, in this order: local work, in the order it came; the hooks of
/// `TurnPhase.relay`; one batch to each other loop that something was posted to; the hooks of `TurnPhase.flush`. What these
/// steps collect belongs to the next turn, except that local work is run until there is none, up to a bound.
///
/// `@unchecked Sendable`: every member that changes is touched only on `eventLoop`, which each entry point asserts.
final class LoopTurn: @unchecked Sendable {
    /// How much local work one turn runs before sockets get their chance again.
    static let localBudget = 4_096

    private let eventLoop: any EventLoop
    private let index: Int
    private let counters: LoopCounters
    private var isScheduled = false
    private var local = Deque<LoopWork>()
    private var outboxes: [[LoopWork]]
    /// Bytes of frames that the work in each outbox keeps in memory.
    private var outboxByteCounts: [Int]
    private var filledOutboxes: [Int] = []
    private var relays: [() -> Void] = []
    private var flushes: [() -> Void] = []
    /// The size of the frame that is being taken in, with which each piece of work for another loop counts; else 0.
    var carriedByteCount = 0
    /// The other loops' inboxes; set once, before any work runs.
    var inboxes: [LoopInbox] = []

    init(eventLoop: any EventLoop, index: Int, targetCount: Int, counters: LoopCounters) {
        self.eventLoop = eventLoop
        self.index = index
        self.counters = counters
        outboxes = Array(repeating: [], count: targetCount)
        outboxByteCounts = Array(repeating: 0, count: targetCount)
    }

    var localCount: Int { local.count }

    func outboxCount(to target: Int) -> Int { outboxes[target].count }

    /// Runs the work on this loop, after what it is doing now.
    func run(_ work: @escaping LoopWork) {
        eventLoop.assertInEventLoop()
        local.append(work)
        schedule()
    }

    /// Hands the work to another loop when this turn ends.
    func post(_ work: @escaping LoopWork, to target: Int) {
        eventLoop.assertInEventLoop()
        if outboxes[target].isEmpty {
            filledOutboxes.append(target)
        }
        outboxes[target].append(work)
        outboxByteCounts[target] += carriedByteCount
        schedule()
    }

    /// Runs the work once when this turn ends.
    func atEnd(_ phase: TurnPhase, _ work: @escaping () -> Void) {
        eventLoop.assertInEventLoop()
        switch phase {
        case .relay: relays.append(work)
        case .flush: flushes.append(work)
        }
        schedule()
    }

    private func schedule() {
        guard !isScheduled else { return }
        isScheduled = true
        eventLoop.execute { self.end() }
    }

    private func end() {
        var budget = Self.localBudget
        while budget > 0, let work = local.popFirst() {
            work()
            budget -= 1
        }
        Self.run(&relays)
        handOver()
        Self.run(&flushes)
        handOver()
        isScheduled = false
        if !local.isEmpty || !relays.isEmpty || !flushes.isEmpty {
            schedule()
        }
    }

    private func handOver() {
        for target in filledOutboxes {
            let batch = outboxes[target]
            outboxes[target] = []
            inboxes[target].append(batch: batch, byteCount: outboxByteCounts[target])
            outboxByteCounts[target] = 0
        }
        filledOutboxes.removeAll(keepingCapacity: true)
    }

    private static func run(_ hooks: inout [() -> Void]) {
        guard !hooks.isEmpty else { return }
        let due = hooks
        hooks = []
        for hook in due {
            hook()
        }
    }
}
