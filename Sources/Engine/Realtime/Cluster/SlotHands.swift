import FluxCluster
import FluxCore

/// What the keeper of slots lets the engine do. Called from one thread, so that what is told of one slot happens in order.
struct SlotHands: Sendable {
    let services: EngineServices
    let transfers: SlotTransfers

    private var system: ClusterActorSystem { services.system }

    /// The leases are held: actors may be activated. The lanes find the new epochs by themselves.
    func takeUp(_ slots: [Slot: Epoch]) { system.takeUp(slots) }

    /// The leases are gone.
    func giveUp(_ slots: [Slot: Epoch]) {
        for slot in slots.keys { transfers.cancel(slot) }
        system.giveUp(slots)
    }

    /// Other nodes own these slots.
    func learn(_ routes: [Route]) { system.learn(routes) }

    /// Brings the successor of a slot that is paused what it cannot read in Postgres, and calls back.
    func sendMemory(
        of slot: Slot, _ epoch: Epoch, to node: NodeID, _ completion: @escaping @Sendable (Bool) -> Void
    ) { transfers.send(slot, epoch, to: node, completion) }

    /// Forgets what was brought here.
    func dropMemory(of slot: Slot) { services.slotMemories.drop(slot) }

    /// Holds the slot's callers, and calls back when no call runs in its actors and everything they have decided has its
    /// fate. Never, if the pause ends before.
    func pauseAndFlush(_ slot: Slot, _ completion: @escaping @Sendable () -> Void) {
        let (services, home) = (services, services.mesh.index(of: slot))
        system.pause(slot) {
            services.run(on: home) { loop in loop.whenSettled(slot) { completion() } }
        }
    }

    /// Lets the slot's callers in again.
    func resume(_ slot: Slot) {
        transfers.cancel(slot)
        system.resume(slot)
    }

    /// The slot is another node's: its callers go there.
    func sendOn(_ slot: Slot, to node: NodeID, _ epoch: Epoch) { system.sendOn(slot, to: node, epoch) }
}
