import FluxCore
import NIOCore

/// The actors that live on this loop: how they are made, reached and let go.
extension ActorLoop {
    /// Runs the delivery on its actor, which is made first if it is not here.
    func deliver(_ delivery: any Delivery) {
        executor.eventLoop.assertInEventLoop()
        let address = delivery.address
        guard let epoch = epoch(for: address) else { return redirect(delivery) }
        if !pauses.isEmpty, hold(delivery) { return }
        guard directory.holds(address) || delivery.wakes(in: self) else {
            return delivery.refuse(CallError.noSuchActor, in: self)
        }
        switch directory.admit(delivery, at: address) {
        case .run(let actor, let ticket): delivery.run(on: actor, ticket: ticket, in: self)
        case .activate(let ticket): activate(ticket, epoch: epoch)
        case .wait: break
        case .refuse:
            system.metrics.refusals.increment()
            delivery.refuse(CallError.overloaded, in: self)
        }
    }

    /// A call that ran on an actor of this loop has been answered; from any thread.
    func finished(_ ticket: ActorTicket) {
        if executor.eventLoop.inEventLoop {
            ended(ticket)
        } else {
            post { $0.ended(ticket) }
        }
    }

    /// Puts an actor in place that was not made by a call.
    func host(_ actor: any KeyedActor) -> Bool {
        executor.eventLoop.assertInEventLoop()
        return directory.host(actor, at: actor.id)
    }

    /// Lets go of one actor.
    func release(_ address: ActorAddress, reason: DeactivationReason) {
        let removed = directory.remove(address)
        if let actor = removed.resident { Self.deactivate(actor, reason) }
        for delivery in removed.waiting { delivery.refuse(CallError.unreachable, in: self) }
    }

    /// The active actors that live here because their slot does.
    func residents(of slot: Slot) -> [any KeyedActor] {
        executor.eventLoop.assertInEventLoop()
        return directory.residents { $0.slot == slot && routing.isPlacedBySlot($0.kind) }
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
        for slot in gone { for delivery in endPause(of: slot) { redirect(delivery) } }
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
        stopStalling()
        let removed = directory.remove { _ in true }
        for actor in removed.residents { Self.deactivate(actor, .released) }
        let held = pauses.keys.flatMap { endPause(of: $0) }
        for delivery in removed.waiting + held { delivery.refuse(CallError.unreachable, in: self) }
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
            delivery.refuse(CallError.report(of: error), in: self)
        }
    }

    private static func canPassivate(_ actor: some KeyedActor) -> Bool {
        actor.assumeIsolated { $0.canPassivate }
    }

    private static func deactivate(_ actor: some KeyedActor, _ reason: DeactivationReason) {
        actor.assumeIsolated { $0.deactivated(reason) }
    }
}
