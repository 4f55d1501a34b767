import FluxCluster
import FluxCore
import FluxStore
import Logging

/// What a node asks of Postgres about slots and members, in the words of the machines that decide (design 5). Holds nothing;
/// each call is a statement or a transaction, and says when nothing came of it.
struct LeaseDesk: Sendable {
    let store: LeaseStore
    let node: FluxStore.NodeIdentity
    let logger: Logger

    /// Writes that this node holds the other dead; whether it is written.
    func condemn(_ subject: FluxCluster.NodeIdentity) async -> Bool {
        await attempt("a verdict could not be written") { () throws(StoreError) in
            try await store.condemn(Self.stored(subject), by: node)
            return true
        } ?? false
    }

    /// Withdraws that. What is not withdrawn counts only until the subject's next start.
    func acquit(_ subject: NodeID) async {
        await attempt("a verdict could not be withdrawn") { () throws(StoreError) in
            try await store.acquit(node: subject.rawValue, by: node)
        }
    }

    /// Takes those of the slots that may be taken; nil when Postgres could not be asked, or its answer was lost.
    func takeOver(_ slots: [Slot], consented: [Slot: Epoch]) async -> [Slot: LeaseStore.Taken]? {
        await attempt("slots could not be taken over") { () throws(StoreError) in
            try await store.takeOver(slots, for: node, consented: consented)
        }
    }

    /// Gives slots to their successor; what became of each.
    func release(_ group: ReleaseQueue.Group) async -> [Slot: SlotKeeper.ReleaseOutcome] {
        let epochs = await attempt("slots could not be handed over") { () throws(StoreError) in
            try await store.release(group.slots, of: node, to: Self.stored(group.successor))
        }
        var outcomes: [Slot: SlotKeeper.ReleaseOutcome] = [:]
        for slot in group.slots.keys {
            outcomes[slot] = epochs.map { epochs in epochs[slot].map { .released($0) } ?? .refused } ?? .unknown
        }
        return outcomes
    }

    /// All leases; nil when they could not be read.
    func leases() async -> [SlotKeeper.Lease]? {
        await attempt("the leases could not be read") { () throws(StoreError) in
            try await store.leases().compactMap { row in
                NodeID(rawValue: row.owner.node).map {
                    SlotKeeper.Lease(slot: row.slot, node: $0, incarnation: row.owner.incarnation, epoch: row.epoch)
                }
            }
        }
    }

    @discardableResult
    private func attempt<Value>(
        _ failure: String, _ work: () async throws(StoreError) -> Value
    ) async -> Value? {
        do throws(StoreError) {
            return try await work()
        } catch {
            // Told by the heartbeat, once; here it would come for each statement of an outage.
            logger.debug("\(failure)", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private static func stored(_ identity: FluxCluster.NodeIdentity) -> FluxStore.NodeIdentity {
        FluxStore.NodeIdentity(node: identity.id.rawValue, incarnation: identity.incarnation)
    }
}
