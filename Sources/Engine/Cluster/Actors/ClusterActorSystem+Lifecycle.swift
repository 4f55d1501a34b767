import FluxCore
import NIOCore

extension ClusterActorSystem {
    /// Acquires the leases of the slots (all of them unless told otherwise; none, where a keeper of slots brings them),
    /// takes them up, and begins to let idle actors go. Registrations come before.
    public func start(slots: [Slot]? = nil) async throws {
        let wanted = slots ?? Slot.all
        if !wanted.isEmpty { try await acquire(wanted) }
        let rounds: Int64 = 8
        let interval = TimeAmount.nanoseconds(limits.idleTime.nanoseconds / rounds)
        _ = await onEachLoop { $0.startPassivation(every: interval, rounds: UInt64(rounds)) }
    }

    /// Acquires leases and takes up the slots that were given.
    @discardableResult
    public func acquire(_ slots: [Slot]) async throws -> [Slot: Epoch] {
        guard let leases else { return [:] }
        let epochs = try await leases.acquire(slots, for: identity)
        await gained(epochs)
        return epochs
    }

    /// Takes up slots whose leases this node holds already. The loops know of them before calls are sent there.
    ///
    /// What is told from one thread about slots (this, `giveUp`, `sendOn`, `pause`, `resume`) happens on each loop in that
    /// order.
    public func takeUp(_ slots: [Slot: Epoch]) {
        // Actors of an earlier epoch, if any, must not see the new one.
        giveUp(slots.mapValues { $0 - 1 })
        for loop in loops {
            let own = slots.filter { mesh.index(of: $0.key) == loop.executor.index }
            loop.post { $0.gain(own) }
        }
        updateRouting { $0.learn(slots, node: identity.id) }
    }

    /// As `takeUp`; returns when every loop has done it.
    public func gained(_ slots: [Slot: Epoch]) async {
        takeUp(slots)
        _ = await onEachLoop { _ in }
    }

    /// The leases of these slots are gone, each at or after this epoch (a lane said so): their actors are let go at once,
    /// calls that wait go where the slot is now. Reports about epochs older than the held one have no effect.
    public func giveUp(_ slots: [Slot: Epoch]) {
        updateRouting { $0.forget(slots) }
        for loop in loops { loop.post { $0.lose(slots, reason: .slotLost) } }
    }

    /// As `giveUp`; returns when every loop has done it.
    public func lost(_ slots: [Slot: Epoch]) async {
        giveUp(slots)
        _ = await onEachLoop { _ in }
    }

    /// The slot is the other node's from now on, at this epoch: its actors are let go and its callers sent on.
    public func sendOn(_ slot: Slot, to node: NodeID, _ epoch: Epoch) {
        // The loops know where to before they send anybody there.
        updateRouting { $0.learn([slot: epoch], node: node) }
        loops[mesh.index(of: slot)].post { $0.lose([slot: epoch], reason: .released) }
    }

    /// Holds the callers of a slot, until `resume` or until the slot is lost, taken up anew or sent on. `whenQuiet` is
    /// called on the slot's loop when no call runs in its actors any more; never, if the pause ends before that.
    public func pause(_ slot: Slot, whenQuiet: @escaping @Sendable () -> Void) {
        loops[mesh.index(of: slot)].post { $0.pause(slot, whenQuiet: whenQuiet) }
    }

    /// Lets the callers of a slot in again, first those who waited.
    public func resume(_ slot: Slot) {
        loops[mesh.index(of: slot)].post { $0.resume(slot) }
    }

    /// Gives slots up: lets their actors go and releases the leases. What the actors decided must be committed before.
    public func release(_ slots: [Slot]) async throws {
        let routing = currentRouting
        let held = slots.reduce(into: [Slot: Epoch]()) { held, slot in
            let assignment = routing.slots[slot]
            if assignment.node == identity.id { held[slot] = assignment.epoch }
        }
        updateRouting { $0.forget(held) }
        _ = await onEachLoop { $0.lose(held, reason: .released) }
        try await leases?.release(held, of: identity)
    }

    /// Gives all slots up.
    public func stop() async throws {
        try await release(currentRouting.slots.slots(of: identity.id))
        _ = await onEachLoop { $0.stop() }
    }

    /// Puts an actor in place that lives on this node and is not made by calls: of a kind that was registered with `node:`.
    /// Must be called on the loop of the address's slot. Nil when the address is taken.
    public func host<Act: KeyedActor>(at address: ActorAddress, _ make: () throws -> Act) rethrows -> Act? {
        let actor = try Self.$assignedAddress.withValue(address, operation: make)
        return loop(of: address).host(actor) ? actor : nil
    }

    /// Lets go of one actor, on the loop of its address's slot.
    public func release(_ address: ActorAddress) {
        loop(of: address).post { $0.release(address, reason: .released) }
    }

    /// How many actors are active or being made on this node.
    public func actorCount() async -> Int {
        await onEachLoop { $0.actorCount }.reduce(0, +)
    }

    /// How many calls of this node wait for an answer.
    public func outstandingCallCount() async -> Int {
        await onEachLoop { $0.outstandingCount }.reduce(0, +)
    }

    /// What this node knows of a slot.
    public func assignment(of slot: Slot) -> SlotTable.Assignment {
        currentRouting.slots[slot]
    }

    /// Another node owns the slot, as gossip or a redirection says.
    public func learn(_ slot: Slot, node: NodeID, epoch: Epoch) {
        updateRouting { $0.learn([slot: epoch], node: node) }
    }

    /// Other nodes own these slots.
    public func learn(_ routes: [Route]) {
        updateRouting { routing in
            var isNew = false
            for route in routes where routing.learn([route.slot: route.epoch], node: route.node) { isNew = true }
            return isNew
        }
    }
}
