import FluxCluster

/// Why a node does not give a session to another one.
package enum SessionMoveRefusal: Error, Equatable, Sendable {
    /// It is not here, and nobody knows where.
    case unknown
    /// It has gone to this node.
    case movedTo(NodeID)
    /// Something stands in the way that will pass.
    case notNow
    /// It is another user's, or does not reach back to what the client has.
    case impossible
}
