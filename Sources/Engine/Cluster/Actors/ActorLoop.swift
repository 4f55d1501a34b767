import FluxCore
import NIOCore

/// One event loop's part of the actor system: the actors that live on it, and the calls that wait for an answer on it.
///
/// `@unchecked Sendable`: all mutable members are touched only on the loop, which each entry point asserts; from elsewhere
/// one comes in through `post`.
final class ActorLoop: @unchecked Sendable {
    /// How finely deadlines are noticed.
    static let tick: TimeAmount = .milliseconds(50)

    let executor: LoopExecutor
    /// The system and its loops refer to each other: they live as long as the node.
    let system: ClusterActorSystem
    var directory: ActorDirectory<any KeyedActor, any Delivery>
    var calls: DeadlineWheel<OutstandingCall>
    var ownership = SlotOwnership()
    var routing: Routing
    var handlers: [UInt16: any AnyCallHandler] = [:]
    var activators: [ActorKind: ActorActivator] = [:]
    var isTicking = false
    var idleRounds: UInt64 = 1
    var passivation: RepeatedTask?
    /// Slots whose callers wait.
    var pauses: [Slot: SlotPause] = [:]
    /// Calls of this loop that reach nobody now.
    var stalled: StalledCalls<OutstandingCall>
    /// How many calls began on this loop.
    var callsBegun: UInt64 = 0
    /// Nobody waits for an owner any more.
    var isStopped = false

    init(executor: LoopExecutor, system: ClusterActorSystem, limits: CallLimits) {
        self.executor = executor
        self.system = system
        directory = ActorDirectory(waitingBound: limits.waitingPerActivation, runningBound: limits.runningPerActor)
        calls = DeadlineWheel(at: Self.currentTick(), bound: limits.outstandingPerLoop)
        routing = Routing(node: system.identity.id)
        stalled = StalledCalls(maximumCount: limits.stalledPerLoop, maximumBytes: limits.stalledBytesPerLoop)
    }

    static func currentTick() -> Int64 { tick(of: .now()) }

    static func tick(of deadline: NIODeadline) -> Int64 {
        Int64(deadline.uptimeNanoseconds / UInt64(tick.nanoseconds))
    }

    /// Runs the work on this loop, in order, never refused.
    func post(_ work: @escaping @Sendable (ActorLoop) -> Void) {
        system.mesh.post(to: executor.index) { work(self) }
    }

    // MARK: Registrations

    func register(_ handler: any AnyCallHandler, number: UInt16) {
        precondition(handlers[number] == nil, "call \(number) is registered twice")
        handlers[number] = handler
    }

    func register(_ kind: ActorKind, activator: @escaping ActorActivator) {
        activators[kind] = activator
    }

    func handler(of number: UInt16) -> (any AnyCallHandler)? {
        handlers[number]
    }

    /// Newer knowledge of where actors live.
    func adopt(_ routing: Routing) {
        guard routing.revision > self.routing.revision else { return }
        let former = self.routing.slots
        self.routing = routing
        let observer = system.ownerObserver
        guard observer != nil || !stalled.isEmpty else { return }
        let moved = routing.slots.changes(since: former)
        let own = moved.filter { system.mesh.index(of: $0) == executor.index }
        if !own.isEmpty { observer?(executor.index, Set(own)) }
        wakeStalled(in: moved)
    }
}
