import FluxCore

/// Gives and takes the leases of slots: the one place that decides who owns what.
///
/// After `acquire` has returned an epoch for a slot, nothing of an earlier epoch of that slot can be committed any more.
public protocol LeaseAuthority: Sendable {
    /// Takes the slots for the node. Returns those it got, each with its new epoch, which is higher than any before.
    func acquire(_ slots: [Slot], for node: NodeIdentity) async throws -> [Slot: Epoch]
    /// Gives the slots back, if the node still holds them at these epochs.
    func release(_ slots: [Slot: Epoch], of node: NodeIdentity) async throws
}
