import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// Work for one loop that comes from elsewhere.
///
/// Threads that are no loops of the mesh append behind a lock; all that gathers until the loop gets to it crosses in one
/// `execute`. Loops hand over whole batches. `backlog` counts what has been handed over and has not run, `byteBacklog`
/// the bytes of other nodes' frames that it keeps in memory.
final class LoopInbox: Sendable {
    private let eventLoop: any EventLoop
    private let counters: LoopCounters
    private let waiting = NIOLockedValueBox<[LoopWork]>([])
    private let waitingCount = Atomic<Int>(0)
    private let waitingByteCount = Atomic<Int>(0)

    init(eventLoop: any EventLoop, counters: LoopCounters) {
        self.eventLoop = eventLoop
        self.counters = counters
    }

    var backlog: Int { waitingCount.load(ordering: .relaxed) }

    var byteBacklog: Int { waitingByteCount.load(ordering: .relaxed) }

    /// From a thread that is no loop of the mesh.
    func append(_ work: @escaping LoopWork) {
        waitingCount.wrappingAdd(1, ordering: .relaxed)
        let isFirst = waiting.withLockedValue { waiting in
            waiting.append(work)
            return waiting.count == 1
        }
        guard isFirst else { return }
        eventLoop.execute {
            let batch = self.waiting.withLockedValue { waiting in
                let batch = waiting
                waiting = []
                return batch
            }
            self.run(batch, byteCount: 0)
        }
    }

    /// From another loop of the mesh: everything it had for this one in its turn, and the bytes that it keeps in memory.
    func append(batch: [LoopWork], byteCount: Int) {
        waitingCount.wrappingAdd(batch.count, ordering: .relaxed)
        if byteCount > 0 { waitingByteCount.wrappingAdd(byteCount, ordering: .relaxed) }
        eventLoop.execute {
            self.run(batch, byteCount: byteCount)
        }
    }

    private func run(_ batch: [LoopWork], byteCount: Int) {
        counters.crossed(carrying: batch.count)
        for work in batch {
            work()
        }
        waitingCount.wrappingSubtract(batch.count, ordering: .relaxed)
        if byteCount > 0 { waitingByteCount.wrappingSubtract(byteCount, ordering: .relaxed) }
    }
}
