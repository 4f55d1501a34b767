import FluxCluster

/// Where a session lives that has left the node which its id names, and how often it has moved: of two nodes that speak for one
/// session, the one with more moves is right.
struct SessionHome: WireCodable, Equatable {
    var node: NodeID
    /// 1 after the first move.
    var moves: UInt64

    init(node: NodeID, moves: UInt64) {
        self.node = node
        self.moves = moves
    }

    func encode(to writer: inout WireWriter) {
        writer.value(node)
        writer.unsigned(moves)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(node: try reader.value(), moves: try reader.unsigned())
    }
}

/// A node that a client has come to asks the User actor where one of the user's sessions lives.
struct SessionQuestion: WireCodable, Equatable {
    var session: SessionKey

    init(session: SessionKey) { self.session = session }

    func encode(to writer: inout WireWriter) { writer.unsigned(session.rawValue) }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(session: SessionKey(rawValue: try reader.unsigned()))
    }
}

/// The answer: the node, or nil if the user has no such session.
struct SessionWhereabouts: WireCodable, Equatable {
    var node: NodeID?

    init(node: NodeID?) { self.node = node }

    func encode(to writer: inout WireWriter) { writer.optional(node) }
    init(from reader: inout WireReader) throws(WireError) { self.init(node: try reader.optional()) }
}
