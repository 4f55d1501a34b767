import Distributed
import FluxCore
import NIOConcurrencyHelpers
import NIOCore

/// The actors of the cluster, as one node sees them.
///
/// A caller names an actor by its address and never knows where it lives: the system finds the owner of its slot, makes the
/// actor there when it is not active, runs the call on the event loop of its slot, and brings the answer back. Guarantees:
/// - One activation per address and epoch on this node; its epoch is passed to the activator.
/// - A call runs at most once, unless it is declared idempotent or carries an idempotency key (`Repeatable`); then it is
///   made again after a lost link or a lost slot. A node that does not own the slot runs nothing and says who does; that
///   repetition is always safe.
/// - A call that reaches nobody, because the owner is dead or the slot is on the move, waits until it does, up to the bounds of
///   `CallLimits`.
/// - Every call ends by its deadline. Errors are typed: the application's own, or `CallError`.
/// - Hot calls of one loop to one actor run in the order they were made, also while it is being activated; those that wait
///   for an owner leave in that order, too.
///
/// Distributed funcs are for control calls; `invoke` is for the message path.
public final class ClusterActorSystem: DistributedActorSystem, Sendable {
    /// Actors are named by address.
    public typealias ActorID = ActorAddress
    /// Records calls of distributed funcs.
    public typealias InvocationEncoder = CallInvocationEncoder
    /// Gives arguments to distributed funcs.
    public typealias InvocationDecoder = CallInvocationDecoder
    /// Takes results of distributed funcs.
    public typealias ResultHandler = CallResultHandler
    /// What arguments and results must be.
    public typealias SerializationRequirement = any WireCodable

    /// Who this node is.
    public let identity: NodeIdentity
    /// The loops that actors run on.
    public let mesh: LoopMesh
    let transport: any Transport
    let leases: (any LeaseAuthority)?
    let limits: CallLimits
    let metrics = CallMetrics()
    private let routing: NIOLockedValueBox<Routing>
    /// Set once at the end of `init`, before anybody else has a reference to the system; never changed after.
    nonisolated(unsafe) private(set) var loops: [ActorLoop] = []
    let failures = NIOLockedValueBox<[UInt16: any WireFailure.Type]>([:])
    let events = NIOLockedValueBox<[UInt16: @Sendable (NodeID, inout WireReader) -> Void]>([:])

    private let linkObservers = NIOLockedValueBox<[@Sendable (NodeID) -> Void]>([])
    private let ownerObservers = NIOLockedValueBox<(@Sendable (Int, Set<Slot>) -> Void)?>(nil)

    /// The address that the actor under construction gets.
    @TaskLocal static var assignedAddress: ActorAddress?

    /// A system that owns no slot yet and makes no call succeed before `start`. `leases`: for `acquire` and `release`; nil
    /// where a keeper of slots sees to them and tells of them (`takeUp`, `giveUp`, `sendOn`).
    public init(
        identity: NodeIdentity, mesh: LoopMesh, transport: any Transport, leases: (any LeaseAuthority)? = nil,
        limits: CallLimits = CallLimits()
    ) {
        self.identity = identity
        self.mesh = mesh
        self.transport = transport
        self.leases = leases
        self.limits = limits
        routing = NIOLockedValueBox(Routing(node: identity.id))
        loops = mesh.executors.map { ActorLoop(executor: $0, system: self, limits: limits) }
        transport.attach(self)
    }

    /// The loop that actors at the address run on.
    func loop(of address: ActorAddress) -> ActorLoop {
        loops[mesh.index(of: address.slot)]
    }

    /// Who is told when slots change their owner.
    var ownerObserver: (@Sendable (Int, Set<Slot>) -> Void)? { ownerObservers.withLockedValue { $0 } }

    /// Says what happens when slots get another owner, or lose theirs: runs on each loop with the slots that are pinned to
    /// it, as soon as this node knows. Before `start`.
    public func registerOwnerObserver(_ observer: @escaping @Sendable (_ loop: Int, _ slots: Set<Slot>) -> Void) {
        ownerObservers.withLockedValue { $0 = observer }
    }

    /// Says what happens when the link to a node was lost. Before `start`.
    public func registerLinkObserver(_ observer: @escaping @Sendable (NodeID) -> Void) {
        linkObservers.withLockedValue { $0.append(observer) }
    }

    func tellLinkObservers(_ node: NodeID) {
        for observer in linkObservers.withLockedValue({ $0 }) { observer(node) }
    }

    /// Whether this node owns the slot, as far as it knows.
    public func owns(_ slot: Slot) -> Bool {
        routing.withLockedValue { $0.slots.owner(of: slot) == identity.id }
    }

    /// What this node knows of where actors live.
    var currentRouting: Routing {
        routing.withLockedValue { $0 }
    }

    /// Changes what this node knows of where actors live, and tells its loops if anything is new.
    func updateRouting(_ change: (inout Routing) -> Bool) {
        let changed = routing.withLockedValue { change(&$0) ? $0 : nil }
        guard let changed else { return }
        for loop in loops {
            loop.post { $0.adopt(changed) }
        }
    }

    /// Runs the work on every loop of the system and waits until all have done it.
    func onEachLoop<Value: Sendable>(_ work: @escaping @Sendable (ActorLoop) -> Value) async -> [Value] {
        var values: [Value] = []
        for loop in loops {
            values.append(
                await withCheckedContinuation { continuation in
                    loop.post { continuation.resume(returning: work($0)) }
                })
        }
        return values
    }
}
