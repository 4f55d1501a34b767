import FluxCluster
import FluxCore

/// A session that is asked for.
struct RollCallEntry: WireCodable, Equatable {
    var userID: UserID
    var session: SessionKey
    /// Where it is held to be.
    var node: NodeID

    init(userID: UserID, session: SessionKey, node: NodeID) {
        self.userID = userID
        self.session = session
        self.node = node
    }

    func encode(to writer: inout WireWriter) {
        writer.value(userID)
        writer.unsigned(session.rawValue)
        writer.value(node)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            userID: try reader.value(), session: SessionKey(rawValue: try reader.unsigned()), node: try reader.value())
    }
}
