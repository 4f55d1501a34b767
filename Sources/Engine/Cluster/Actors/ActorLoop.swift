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
    private var directory: ActorDirectory<any KeyedActor, any Delivery>
    private var calls: DeadlineWheel<OutstandingCall>
    private var ownership = SlotOwnership()
    private var routing: Routing
    private var handlers: [UInt16: any AnyCallHandler] = [:]
    private var activators: [ActorKind: ActorActivator] = [:]
    private var isTicking = false
    private var idleRounds: UInt64 = 1
    private var passivation: RepeatedTask?

    init(executor: LoopExecutor, system: ClusterActorSystem, limits: CallLimits) {
        self.executor = executor
        self.system = system
        directory = ActorDirectory(waitingBound: limits.waitingPerActivation, runningBound: limits.runningPerActor)
        calls = DeadlineWheel(at: Self.currentTick(), bound: limits.outstandingPerLoop)
        routing = Routing(node: system.identity.id)
    }

    private static func currentTick() -> Int64 { tick(of: .now()) }

    private static func tick(of deadline: NIODeadline) -> Int64 {
        Int64(deadline.uptimeNanoseconds / UInt64(tick.nanoseconds))
    }

    /// Runs the work on this loop, in order, never refused.
    func post(_ work: @escaping @Sendable (ActorLoop) -> Void) {
        system.mesh.post(to: executor.index) { work(self) }
    }

    // MARK: Registrations

    func register(_ handler: any AnyCallHandler, number: UInt16) {
        handlers[number] = handler
    }

    func register(_ kind: ActorKind, activator: @escaping ActorActivator) {
        activators[kind] = activator
    }

    func handler(of number: UInt16) -> (any AnyCallHandler)? {
        handlers[number]
    }

    // MARK: Calls that this loop waits for

    /// Takes a call on and sends it on its way.
    func begin(_ call: OutstandingCall) {
        executor.eventLoop.assertInEventLoop()
        guard let token = calls.insert(call, deadline: Self.tick(of: call.deadline)) else {
            system.metrics.refusals.increment()
            return call.fail(CallError.overloaded)
        }
        call.token = token
        startTicking()
        route(call)
    }

    /// Ends a call, if it still waits, with what `end` tells its caller.
    func settle(_ call: OutstandingCall, _ end: (OutstandingCall) -> Void) {
        executor.eventLoop.assertInEventLoop()
        guard let token = call.token, calls.remove(token) != nil else { return }
        call.token = nil
        end(call)
    }

    /// Ends a call, if it still waits, with an error. An actor that says it is not the owner any more may have begun the
    /// work: the call goes on to the new owner only if running it twice does no harm.
    func failed(_ call: OutstandingCall, _ error: any Error) {
        if call.isRepeatable, case CallError.notOwner(let node, let epoch) = error {
            redirected(call, node: node, epoch: epoch)
        } else {
            settle(call) { $0.fail(error) }
        }
    }

    /// The call did not run because its slot is not where it was sent: once more, to where it is.
    func redirected(_ call: OutstandingCall, node: NodeID?, epoch: Epoch) {
        guard call.token != nil else { return }
        system.metrics.redirections.increment()
        if let node {
            system.learn(call.address.slot, node: node, epoch: epoch)
        }
        retry(call)
    }

    /// A reply came from another node.
    func receive(_ head: ClusterFrame.ReplyHead, body: WireReader, from node: NodeID) {
        guard let call = calls.element(.init(rawValue: head.reference.token)), call.sentTo == node else { return }
        switch head.outcome {
        case .success:
            var body = body
            settle(call) { $0.receive(&body) }
        case .redirect(let node, let epoch):
            redirected(call, node: node, epoch: epoch)
        case .failure(let error):
            failed(call, error)
        case .refused(let number):
            let error = system.failure(number, from: body)
            settle(call) { $0.fail(error) }
        }
    }

    /// The link to the node broke: its calls are made again if that does no harm, else they fail.
    func linkLost(to node: NodeID) {
        for call in calls.elements where call.sentTo == node {
            lost(call)
        }
    }

    private func route(_ call: OutstandingCall) {
        call.attempts += 1
        switch routing.destination(of: call.address) {
        case .here:
            call.sentTo = nil
            let loop = system.loop(of: call.address)
            if !system.mesh.offer(to: loop.executor.index, { loop.deliver(call) }) {
                system.metrics.refusals.increment()
                settle(call) { $0.fail(CallError.overloaded) }
            }
        case .node(let node):
            send(call, to: node)
        case .unowned:
            retry(call)
        case .nowhere:
            settle(call) { $0.fail(CallError.unknownTarget) }
        }
    }

    private func send(_ call: OutstandingCall, to node: NodeID) {
        let transport = system.transport
        guard let token = call.token, let version = transport.version(of: node) else { return lost(call) }
        let left = max(0, (call.deadline - .now()).nanoseconds / 1_000_000)
        let head = ClusterFrame.CallHead(
            reference: .init(loop: executor.index, token: token.rawValue), address: call.address,
            timeout: UInt32(clamping: left), method: call.method)
        var writer = WireWriter(version: version, capacity: 256)
        ClusterFrame.call(head).encode(to: &writer)
        call.encodeArguments(to: &writer)
        call.sentTo = node
        if !transport.send(writer.bytes, over: .control, to: node) {
            lost(call)
        }
    }

    private func lost(_ call: OutstandingCall) {
        call.sentTo = nil
        if call.isRepeatable {
            system.metrics.repetitions.increment()
            retry(call)
        } else {
            settle(call) { $0.fail(CallError.unreachable) }
        }
    }

    /// Routes the call again: at once the first time, then less and less often, until its deadline.
    private func retry(_ call: OutstandingCall) {
        call.sentTo = nil
        let exponent = min(call.attempts - 1, 5)
        guard exponent > 0 else { return post { $0.routeAgain(call) } }
        executor.eventLoop.scheduleTask(in: .milliseconds(10 << Int64(exponent))) { self.routeAgain(call) }
    }

    private func routeAgain(_ call: OutstandingCall) {
        guard call.token != nil, call.sentTo == nil else { return }
        route(call)
    }

    private func startTicking() {
        guard !isTicking else { return }
        isTicking = true
        executor.eventLoop.scheduleTask(in: Self.tick) {
            self.isTicking = false
            for call in self.calls.advance(to: Self.currentTick()) {
                call.token = nil
                self.system.metrics.timeouts.increment()
                call.fail(CallError.timedOut)
            }
            if self.calls.count > 0 { self.startTicking() }
        }
    }

    // MARK: Actors that live on this loop

    /// Runs the delivery on its actor, which is made first if it is not here.
    func deliver(_ delivery: any Delivery) {
        executor.eventLoop.assertInEventLoop()
        let address = delivery.address
        guard let epoch = epoch(for: address) else { return redirect(delivery) }
        switch directory.admit(delivery, at: address) {
        case .run(let actor, let ticket): delivery.run(on: actor, ticket: ticket, in: self)
        case .activate(let ticket): activate(ticket, epoch: epoch)
        case .wait: break
        case .refuse:
            system.metrics.refusals.increment()
            delivery.refuse(CallError.overloaded, in: self)
        }
    }

    /// Newer knowledge of where actors live.
    func adopt(_ routing: Routing) {
        guard routing.revision > self.routing.revision else { return }
        self.routing = routing
    }

    /// A call that ran on an actor of this loop has been answered; from any thread.
    func finished(_ ticket: ActorTicket) {
        if executor.eventLoop.inEventLoop {
            directory.finished(ticket)
        } else {
            post { $0.directory.finished(ticket) }
        }
    }

    /// Puts an actor in place that was not made by a call.
    func host(_ actor: any KeyedActor) -> Bool {
        executor.eventLoop.assertInEventLoop()
        return directory.host(actor, at: actor.id)
    }

    /// Lets go of one actor.
    func release(_ address: ActorAddress, reason: DeactivationReason) {
        let removed = directory.remove { $0 == address }
        for actor in removed.residents { Self.deactivate(actor, reason) }
        for delivery in removed.waiting { delivery.refuse(CallError.unreachable, in: self) }
    }

    /// The active actor at the address.
    func resident(at address: ActorAddress) -> (any KeyedActor)? {
        executor.eventLoop.assertInEventLoop()
        return directory.resident(at: address)
    }

    /// How many actors are here or being made.
    var actorCount: Int { directory.count }

    /// How many calls wait for an answer on this loop.
    var outstandingCount: Int { calls.count }

    /// The node owns these slots now.
    func gain(_ slots: [Slot: Epoch]) {
        for (slot, epoch) in slots {
            ownership.gain(slot, epoch: epoch)
        }
    }

    /// The node does not own these slots any more.
    func lose(_ slots: [Slot: Epoch], reason: DeactivationReason) {
        var gone: Set<Slot> = []
        for (slot, epoch) in slots where ownership.lose(slot, epoch: epoch) {
            gone.insert(slot)
        }
        guard !gone.isEmpty else { return }
        let removed = directory.remove { gone.contains($0.slot) && routing.isPlacedBySlot($0.kind) }
        for actor in removed.residents { Self.deactivate(actor, reason) }
        for delivery in removed.waiting { redirect(delivery) }
    }

    /// Lets idle actors go, now and from now on every `interval`; an actor leaves after `rounds` rounds without a call.
    func startPassivation(every interval: TimeAmount, rounds: UInt64) {
        idleRounds = rounds
        passivation?.cancel()
        passivation = executor.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            self.passivate()
        }
    }

    /// Lets all actors go and looks no more for idle ones.
    func stop() {
        passivation?.cancel()
        passivation = nil
        let removed = directory.remove { _ in true }
        for actor in removed.residents { Self.deactivate(actor, .released) }
        for delivery in removed.waiting { delivery.refuse(CallError.unreachable, in: self) }
    }

    /// One round of passivation.
    func passivate() {
        executor.eventLoop.assertInEventLoop()
        for (ticket, actor) in directory.idle(rounds: idleRounds) {
            guard Self.canPassivate(actor), directory.passivate(ticket) else { continue }
            system.metrics.passivations.increment()
            Self.deactivate(actor, .idle)
        }
    }

    private func epoch(for address: ActorAddress) -> Epoch? {
        routing.isPlacedBySlot(address.kind) ? ownership.epoch(of: address.slot) : 0
    }

    private func redirect(_ delivery: any Delivery) {
        let owner = routing.slots[delivery.address.slot]
        delivery.redirect(node: owner.node, epoch: owner.epoch, in: self)
    }

    private func activate(_ ticket: ActorTicket, epoch: Epoch) {
        guard let activator = activators[ticket.address.kind] else {
            let isHosted = !routing.isPlacedBySlot(ticket.address.kind)
            return failed(ticket, isHosted ? CallError.noSuchActor : CallError.unknownTarget)
        }
        system.metrics.activations.increment()
        let executor = executor
        Task(executorPreference: executor) {
            do {
                let actor = try await ClusterActorSystem.$assignedAddress.withValue(ticket.address) {
                    try await activator(ticket.address, epoch, executor)
                }
                self.post { $0.activated(actor, ticket) }
            } catch {
                self.system.metrics.activationFailures.increment()
                self.post { $0.failed(ticket, error) }
            }
        }
    }

    private func activated(_ actor: any KeyedActor, _ ticket: ActorTicket) {
        switch directory.activated(actor, as: ticket) {
        case .discard:
            Self.deactivate(actor, .slotLost)
        case .run(let deliveries, let ticket):
            let now = NIODeadline.now()
            for delivery in deliveries {
                if delivery.deadline < now {
                    directory.finished(ticket)
                    delivery.refuse(CallError.timedOut, in: self)
                } else {
                    delivery.run(on: actor, ticket: ticket, in: self)
                }
            }
        }
    }

    private func failed(_ ticket: ActorTicket, _ error: any Error) {
        for delivery in directory.failed(ticket) {
            delivery.refuse(error, in: self)
        }
    }

    private static func canPassivate(_ actor: some KeyedActor) -> Bool {
        actor.assumeIsolated { $0.canPassivate }
    }

    private static func deactivate(_ actor: some KeyedActor, _ reason: DeactivationReason) {
        actor.assumeIsolated { $0.deactivated(reason) }
    }
}
