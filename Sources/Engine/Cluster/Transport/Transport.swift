/// The way to the other nodes.
///
/// Frames that one thread sends to one node arrive there in that order, as long as the link lives; a frame arrives once or
/// not at all. When a link breaks, the transport calls `ClusterActorSystem.linkLost`, so that calls whose reply was on it
/// do not wait for their deadline. What comes in goes to `ClusterActorSystem.receive`.
public protocol Transport: Sendable {
    /// Sends one frame; false, when there is no link to that node or its queue is full: then nothing was sent.
    func send(_ frame: [UInt8], over lane: TransportLane, to node: NodeID) -> Bool

    /// How this node writes, and what it reads.
    var dialect: WireDialect { get }

    /// The version agreed on with the node; nil without a link.
    func version(of node: NodeID) -> WireVersion?

    /// Called once, before anything is sent: where incoming frames go.
    func attach(_ system: ClusterActorSystem)
}

/// Which of the two connections of a pair of nodes a frame takes.
public enum TransportLane: Sendable {
    /// Calls and replies: small, latency matters.
    case control
    /// Events and state: many bytes, must not delay a call.
    case bulk
}
