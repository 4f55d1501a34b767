import FluxCore
import Logging

/// The write-behind pipelines of one node. A slot always writes through the same lane, so its changes keep their order.
///
/// The lanes' rows must exist (`LeaseStore.register` makes them), and their number is the one registered: a taker of a
/// slot finds its lane by it.
public final class LanePool: Sendable {
    /// Hands over what became of mutations, on the lane's thread, many at a time. It must not block.
    public typealias OutcomeHandler = @Sendable ([LaneOutcome]) -> Void

    private let writers: [LaneWriter]
    private let running: Locked<Running>

    private struct Running {
        var threads: Int
        var whenEnded: [@Sendable () -> Void] = []
    }

    /// `lanes` pipelines for the node `identity`. They connect by themselves, now and whenever a connection is lost.
    public init(
        configuration: DatabaseConfiguration, identity: NodeIdentity, lanes: Int, limits: LaneLimits = LaneLimits(),
        logger: Logger, onOutcomes: @escaping OutcomeHandler
    ) throws(StoreError) {
        var writers: [LaneWriter] = []
        for number in 0..<max(1, lanes) {
            writers.append(
                try LaneWriter(
                    configuration: configuration, identity: identity, number: number, limits: limits, origin: .now,
                    logger: logger, onOutcomes: onOutcomes))
        }
        self.writers = writers
        running = Locked(Running(threads: writers.count))
        for writer in writers { writer.start { [self] in threadEnded() } }
    }

    /// Puts a mutation at the end of its lane. Callable from every thread; it never waits.
    ///
    /// Throws `.overloaded` at a bound of the lane (rows, bytes, age), `.closed` after `drain`, and `.fenced` when a newer
    /// incarnation of this node has taken over.
    public func append(_ mutation: Mutation) throws(StoreError) {
        try writers[lane(of: mutation.slot)].append(mutation)
    }

    /// Commits the coalesced values of the slot with the next batch instead of at their time: the slot is about to be
    /// another node's.
    public func hasten(_ slot: Slot) {
        writers[LanePool.lane(of: slot, lanes: writers.count)].hasten(slot)
    }

    /// Accepts nothing more and returns when every mutation has had its outcome and the threads have ended. While
    /// Postgres is away that takes until everything has been withdrawn, and for a batch of unknown fate until Postgres
    /// is back.
    public func drain() async {
        for writer in writers { writer.close() }
        await withCheckedContinuation { continuation in
            let hasEnded = running.withLock { running in
                if running.threads > 0 { running.whenEnded.append { continuation.resume() } }
                return running.threads == 0
            }
            if hasEnded { continuation.resume() }
        }
    }

    /// Mutations that have had no outcome yet, in all lanes.
    public var rowCount: Int { writers.reduce(0) { $0 + $1.load.rows } }

    /// How long the oldest of them has waited.
    public var oldestAge: Duration { writers.map(\.load.age).max() ?? .zero }

    /// How many lanes there are.
    public var count: Int { writers.count }

    /// Which of them a slot writes through, from 0.
    public func lane(of slot: Slot) -> Int { LanePool.lane(of: slot, lanes: writers.count) }

    /// The lane of a slot, on a node with `lanes` lanes. Takers compute it for other nodes too.
    static func lane(of slot: Slot, lanes: Int) -> Int { Int(slot.rawValue) % lanes }

    private func threadEnded() {
        let callbacks = running.withLock { running -> [@Sendable () -> Void] in
            running.threads -= 1
            guard running.threads == 0 else { return [] }
            defer { running.whenEnded = [] }
            return running.whenEnded
        }
        for callback in callbacks { callback() }
    }
}
