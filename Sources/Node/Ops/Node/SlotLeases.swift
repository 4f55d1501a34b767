import FluxCluster
import FluxCore
import FluxStore

/// The cluster's leases as rows of Postgres.
struct SlotLeases: LeaseAuthority {
    let store: LeaseStore

    func acquire(_ slots: [Slot], for node: FluxCluster.NodeIdentity) async throws -> [Slot: Epoch] {
        try await store.acquire(slots, for: Self.stored(node))
    }

    /// Nothing to do: a node that stopped commits nothing more, and whoever takes its slots next raises their epochs.
    func release(_ slots: [Slot: Epoch], of node: FluxCluster.NodeIdentity) async throws {}

    private static func stored(_ node: FluxCluster.NodeIdentity) -> FluxStore.NodeIdentity {
        FluxStore.NodeIdentity(node: node.id.rawValue, incarnation: node.incarnation)
    }
}
