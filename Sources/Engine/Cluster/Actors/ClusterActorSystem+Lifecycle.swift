import FluxCore
import NIOCore

extension ClusterActorSystem {
    /// Acquires the leases of the slots (all of them unless told otherwise), takes them up, and begins to let idle actors
    /// go. Registrations come before.
    public func start(slots: [Slot]? = nil) async throws {
        let wanted = slots ?? (0..<UInt16(Slot.count)).compactMap(Slot.init(rawValue:))
        try await acquire(wanted)
        let rounds: Int64 = 8
        let interval = TimeAmount.nanoseconds(limits.idleTime.nanoseconds / rounds)
        _ = await onEachLoop { $0.startPassivation(every: interval, rounds: UInt64(rounds)) }
    }

    /// Acquires leases and takes up the slots that were given.
    @discardableResult
    public func acquire(_ slots: [Slot]) async throws -> [Slot: Epoch] {
        let epochs = try await leases.acquire(slots, for: identity)
        await gained(epochs)
        return epochs
    }

    /// Takes up slots whose leases this node holds already. The loops know of them before calls are sent there.
    public func gained(_ slots: [Slot: Epoch]) async {
        // Actors of an earlier epoch, if any, must not see the new one.
        await lost(slots.mapValues { $0 - 1 })
        _ = await onEachLoop { loop in
            loop.gain(slots.filter { self.mesh.index(of: $0.key) == loop.executor.index })
        }
        updateRouting { $0.learn(slots, node: identity.id) }
    }

    /// The leases of these slots are gone, each at or after this epoch (a lane said so): their actors are let go at once,
    /// calls that wait go where the slot is now. Reports about epochs older than the held one have no effect.
    public func lost(_ slots: [Slot: Epoch]) async {
        updateRouting { $0.forget(slots) }
        _ = await onEachLoop { $0.lose(slots, reason: .slotLost) }
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
        try await leases.release(held, of: identity)
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
}
