/// The way to the other nodes.
///
/// Frames that one thread sends to one node arrive there in that order, as long as the link lives; a frame arrives once or
/// not at all. When a link breaks, the transport calls `ClusterActorSystem.linkLost`, so that calls whose reply was on it
/// do not wait for their deadline. What comes in goes to `ClusterActorSystem.receive`.
public protocol Transport: Sendable {
    /// Sends one frame, or says why not: then nothing was sent.
    func send(_ frame: [UInt8], over lane: TransportLane, to node: NodeID) -> TransportOutcome

    /// Ends the link to the node, if there is one, because something cannot be sent over it that somebody there waits
    /// for: both ends hear of the loss at once, instead of a deadline later. The link is made again.
    func breakLink(to node: NodeID)

    /// How this node writes, and what it reads.
    var dialect: WireDialect { get }

    /// The version agreed on with the node; nil without a link.
    func version(of node: NodeID) -> WireVersion?

    /// The features that both ends of the link to the node have; nil without a link.
    func features(of node: NodeID) -> LinkFeatures?

    /// Called once, before anything is sent: where incoming frames go.
    func attach(_ system: ClusterActorSystem)
}

/// What became of a frame that a transport was to send.
public enum TransportOutcome: Sendable {
    /// It is on its way: it arrives, or the link is lost.
    case accepted
    /// There is no link to the node.
    case unlinked
    /// Too much waits for the node; there may be room again later.
    case full
    /// It is larger than a frame may be, on any link at any time.
    case tooLarge
}

/// Which of the two connections of a pair of nodes a frame takes.
public enum TransportLane: Sendable {
    /// Calls and replies: small, latency matters.
    case control
    /// Events and state: many bytes, must not delay a call.
    case bulk
}
