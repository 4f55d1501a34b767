/// What the links of a node tell to whoever watches them: membership, logs, tests.
public enum LinkEvent: Sendable {
    /// Frames flow to and from the node.
    case up(NodeIdentity, WireVersion)
    /// They do not any more. Comes after everything that was received over the link, and once for each `up`.
    case lost(NodeIdentity)
    /// A node that was dialled refused, or ended the link, for this reason.
    case refusedByPeer(NodeID, LinkRefusal)
    /// This node refused a connection, or ended it. Who it was is known only if it proved so.
    case refusedPeer(NodeID?, LinkRefusal)
    /// The node's host answered that nothing listens at its address. `unreachable` follows.
    case notListening(NodeID)
    /// A node could not be reached, or its connection broke, with the system's words for it.
    case unreachable(NodeID, String)
}

extension LinkEvent {
    /// What an operator has to do about a version that does not fit: which versions each side needs.
    public static func describe(_ refusal: LinkRefusal, own: WireVersionRange, peer: NodeID) -> String {
        guard case .version(let theirs) = refusal else { return refusal.description }
        return noCommonVersion(own: own, peer: peer, theirs)
    }

    /// Which versions each side needs, and which one has to change.
    static func noCommonVersion(own: WireVersionRange, peer: NodeID, _ theirs: WireVersionRange) -> String {
        let older = theirs.current < own.current ? "node \(peer)" : "this node"
        return "no common wire version: node \(peer) speaks \(theirs), this node speaks \(own); upgrade \(older) first"
    }
}
