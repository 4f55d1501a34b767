import FluxCore
import NIOCore
import NIOPosix

/// The event loops of a node, and the ways between them.
///
/// Guarantees:
/// - **One hop per turn.** All that a loop posts to another loop in one turn crosses in one `execute`, however much it is.
///   Threads that are no loops of the mesh are batched likewise, behind a lock.
/// - **Order.** What one loop (or one foreign thread) posts to one loop runs there in the order it was posted.
/// - **No re-entrance.** Posted work never runs inside `post`, also when the target is the own loop.
///
/// Bounds (I8): `offer` is for work that begins something, such as a call; it is refused when more than `bound` pieces wait
/// for that loop, and the caller says "overloaded". `post` is for work that ends or continues what was admitted (replies,
/// events to sessions); it is never refused, and what it can pile up is bounded by what was admitted. Of what other
/// nodes sent the bytes are counted, too (`carrying`): while more than `byteBound` wait for some loop the mesh is
/// congested, and the links give no credit. What peers had credit for by then, a window a connection, comes on top.
///
/// A loop belongs to one mesh.
public final class LoopMesh: Sendable {
    /// One per loop, in the order of their indices.
    public let executors: [LoopExecutor]
    private let counters = LoopCounters()
    private let bound: Int
    private let byteBound: Int

    private static let current = ThreadSpecificVariable<LoopExecutor>()

    /// A mesh over all loops of the group. `bound`: how much may wait for one loop before `offer` refuses. `byteBound`:
    /// how many bytes of other nodes' frames may wait for one loop before the mesh is congested.
    public init(group: any EventLoopGroup, bound: Int = 65_536, byteBound: Int = 64 << 20) {
        let loops = Array(group.makeIterator())
        let counters = self.counters
        self.bound = bound
        self.byteBound = byteBound
        executors = loops.enumerated().map { index, loop in
            LoopExecutor(index: index, count: loops.count, eventLoop: loop, counters: counters)
        }
        let inboxes = executors.map(\.inbox)
        for executor in executors {
            executor.turn.inboxes = inboxes
            executor.eventLoop.execute { Self.current.currentValue = executor }
        }
    }

    /// How many loops there are.
    public var count: Int { executors.count }

    /// The loop that all actors of the slot run on.
    public func index(of slot: Slot) -> Int {
        Int(slot.rawValue) % executors.count
    }

    /// The executor that all actors of the slot run on.
    public func executor(of slot: Slot) -> LoopExecutor {
        executors[index(of: slot)]
    }

    /// The loop that the caller runs on; nil on a thread that is no loop of this mesh.
    public var currentIndex: Int? {
        currentExecutor?.index
    }

    /// Runs the work on a loop, after all that the caller posted to it before. Never refused.
    public func post(to index: Int, _ work: @escaping LoopWork) {
        guard let source = currentExecutor else { return executors[index].inbox.append(work) }
        if source.index == index {
            source.turn.run(work)
        } else {
            source.turn.post(work, to: index)
        }
    }

    /// Like `post`, but false, without effect, when too much waits for that loop already.
    public func offer(to index: Int, _ work: @escaping LoopWork) -> Bool {
        let source = currentExecutor
        var waiting = executors[index].inbox.backlog
        if let source {
            waiting += source.index == index ? source.turn.localCount : source.turn.outboxCount(to: index)
        }
        guard waiting < bound else {
            counters.refused()
            return false
        }
        post(to: index, work)
        return true
    }

    /// Whether half as much waits for some loop as makes `offer` refuse, or more bytes than their bound: time to ask the
    /// senders to wait.
    public var isCongested: Bool {
        executors.contains { $0.inbox.backlog > bound / 2 || $0.inbox.byteBacklog > byteBound }
    }

    /// Takes in a frame of that size: what `work` posts to other loops counts with it until it has run, as it keeps the
    /// frame, or what was read from it, in memory. A frame that is spread over several loops counts in full for each of
    /// them. What the own loop has to do is not counted, as that loop reads little more before it has done it; nor is
    /// what a thread posts that is none of the mesh's loops, which connections never are on.
    func carrying<Failure: Error>(_ byteCount: Int, _ work: () throws(Failure) -> Void) throws(Failure) {
        guard let turn = currentExecutor?.turn else { return try work() }
        let outer = turn.carriedByteCount
        turn.carriedByteCount = byteCount
        defer { turn.carriedByteCount = outer }
        try work()
    }

    /// Runs the work once when the current loop's turn ends. Must be called on a loop of the mesh.
    public func atEndOfTurn(_ phase: TurnPhase = .flush, _ work: @escaping () -> Void) {
        guard let source = currentExecutor else {
            preconditionFailure("atEndOfTurn is for work on the loops of the mesh")
        }
        source.turn.atEnd(phase, work)
    }

    /// How many times work crossed to a loop from elsewhere; a batch counts once.
    public var hops: Int { counters.hops }

    /// How many offers were refused at the bound.
    public var refusals: Int { counters.refusals }

    /// How much has been handed over to a loop and has not run yet.
    public func backlog(of index: Int) -> Int {
        executors[index].inbox.backlog
    }

    /// How many bytes of other nodes' frames have been handed over to a loop with work that has not run yet.
    public func byteBacklog(of index: Int) -> Int {
        executors[index].inbox.byteBacklog
    }

    private var currentExecutor: LoopExecutor? {
        guard let executor = Self.current.currentValue, executor.index < executors.count,
            executors[executor.index] === executor
        else { return nil }
        return executor
    }
}
