import FluxCore

/// What a node needs to know to find an actor: the owners of the slots, and the kinds whose keys name their node.
///
/// A value that each loop has a copy of; a newer copy has a higher revision.
struct Routing: Sendable {
    /// Where a call has to go.
    enum Destination: Equatable {
        case here
        case node(NodeID)
        /// No owner is known now; one will be.
        case unowned
        /// The key names no node.
        case nowhere
    }

    let node: NodeID
    private(set) var revision: UInt64 = 0
    private(set) var slots = SlotTable()
    private var nodePlacements: [ActorKind: @Sendable (UInt64) -> NodeID?] = [:]

    init(node: NodeID) {
        self.node = node
    }

    /// Whether the actors of the kind live where their slot is owned.
    func isPlacedBySlot(_ kind: ActorKind) -> Bool {
        nodePlacements.isEmpty || nodePlacements[kind] == nil
    }

    func destination(of address: ActorAddress) -> Destination {
        if !nodePlacements.isEmpty, let placement = nodePlacements[address.kind] {
            guard let owner = placement(address.key) else { return .nowhere }
            return owner == node ? .here : .node(owner)
        }
        guard let owner = slots.owner(of: address.slot) else { return .unowned }
        return owner == node ? .here : .node(owner)
    }

    mutating func place(_ kind: ActorKind, at node: @escaping @Sendable (UInt64) -> NodeID?) {
        nodePlacements[kind] = node
        revision += 1
    }

    /// Whether the knowledge was new.
    mutating func learn(_ slots: [Slot: Epoch], node: NodeID) -> Bool {
        var isNew = false
        for (slot, epoch) in slots where self.slots.learn(slot, node: node, epoch: epoch) {
            isNew = true
        }
        if isNew { revision += 1 }
        return isNew
    }

    /// This node has lost these slots, each at this epoch or before; whether it was known to own one.
    mutating func forget(_ slots: [Slot: Epoch]) -> Bool {
        var isNew = false
        for (slot, epoch) in slots where self.slots.owner(of: slot) == node {
            if self.slots.forget(slot, epoch: epoch) { isNew = true }
        }
        if isNew { revision += 1 }
        return isNew
    }
}
