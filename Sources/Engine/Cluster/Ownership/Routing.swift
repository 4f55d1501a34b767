import FluxCore

/// What a node needs to know to find an actor: the owners of the slots, and the kinds whose keys name their node.
struct Routing: Sendable {
    /// Where a call has to go.
    enum Destination {
        case here
        case node(NodeID)
        /// No owner is known now; one will be.
        case unowned
        /// The key names no node.
        case nowhere
    }

    let node: NodeID
    var slots = SlotTable()
    var nodePlacements: [ActorKind: @Sendable (UInt64) -> NodeID?] = [:]

    init(node: NodeID) {
        self.node = node
    }

    func destination(of address: ActorAddress) -> Destination {
        if !nodePlacements.isEmpty, let placement = nodePlacements[address.kind] {
            guard let owner = placement(address.key) else { return .nowhere }
            return owner == node ? .here : .node(owner)
        }
        guard let owner = slots.owner(of: address.slot) else { return .unowned }
        return owner == node ? .here : .node(owner)
    }
}
