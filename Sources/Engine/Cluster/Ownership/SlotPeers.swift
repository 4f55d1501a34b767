import FluxCore

/// What of the members decides about slots. A keeper asks for it at each of many slots, so a member is found by its number
/// without hashing.
struct SlotPeers: Sendable {
    struct Peer: Sendable {
        let incarnation: Int64
        let health: Health
        let isLinked: Bool
        let hasDatabase: Bool
    }

    private var peers: [Peer?] = []
    /// The other living members to whom there is a link, in growing order.
    private(set) var linked: [NodeID] = []

    init(_ view: MembershipView) {
        for (node, entry) in view.members {
            let index = Int(node.rawValue)
            while peers.count <= index { peers.append(nil) }
            peers[index] = Peer(
                incarnation: entry.member.identity.incarnation, health: entry.health, isLinked: entry.isLinked,
                hasDatabase: entry.report?.hasDatabase == true)
            if node != view.node, entry.isLinked, entry.health.isLiving { linked.append(node) }
        }
        linked.sort()
    }

    subscript(node: NodeID) -> Peer? {
        let index = Int(node.rawValue)
        return index < peers.count ? peers[index] : nil
    }
}
