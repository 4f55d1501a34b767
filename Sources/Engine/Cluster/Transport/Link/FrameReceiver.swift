/// Where the frames of the links go: the actor system, and in tests a recorder.
protocol FrameReceiver: AnyObject, Sendable {
    /// Takes a frame; from the loop of its connection, in the order of arrival per connection. A frame that cannot be read ends
    /// the link.
    func receive(_ bytes: [UInt8], from node: NodeID) throws(WireError)

    /// A link to the node is there; frames are accepted for it.
    func linkMade(to node: NodeID)

    /// The link to the node is over, after everything that came over it.
    func linkLost(to node: NodeID)

    /// Whether so much waits to be worked on that peers should send no more for now.
    var isCongested: Bool { get }
}

extension ClusterActorSystem: FrameReceiver {
    var isCongested: Bool { mesh.isCongested }
}
