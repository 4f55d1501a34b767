extension ClusterActorSystem {
    /// What became of a frame that was to be sent.
    enum Dispatch {
        /// The transport has it.
        case sent
        /// There is no link to the node.
        case unlinked
        /// Too much waits for the node.
        case full
        /// It is larger than a frame may be.
        case tooLarge
        /// The node speaks a version in which there is no such thing; nothing was sent.
        case tooNew
    }

    /// Writes a frame as the node that it is for understands it, and sends it. Every frame between nodes is made here, so that
    /// a sort of call, event or value is sent only over links whose version knows it.
    /// - Parameter rest: appends what follows the head: arguments, reply or payload.
    func dispatch(
        _ frame: ClusterFrame, to node: NodeID, over lane: TransportLane, capacity: Int = 128,
        _ rest: (inout WireWriter) -> Void
    ) -> Dispatch {
        guard let version = transport.version(of: node) else { return .unlinked }
        guard frame.since <= version else { return .tooNew }
        var writer = WireWriter(version: version, dialect: transport.dialect, capacity: capacity)
        frame.encode(to: &writer)
        rest(&writer)
        guard writer.isReadable else { return .tooNew }
        writer.addUnknownFields()
        return switch transport.send(writer.bytes, over: lane, to: node) {
        case .accepted: .sent
        case .unlinked: .unlinked
        case .full: .full
        case .tooLarge: .tooLarge
        }
    }
}
