import FluxCluster
import FluxCore
import FluxStore

/// What one user's actor tells another's: the sender's half of their relationship, whole.
package struct PeerNotice: WireCodable, Equatable {
    package var senderID: UserID
    package var half: RelationshipHalf

    package init(senderID: UserID, half: RelationshipHalf) {
        self.senderID = senderID
        self.half = half
    }

    /// Reads the payload of an outbox entry; nil for one that is no peer's notice.
    package init?(_ entry: OutboxEntry) {
        guard case .peer(let notice)? = UserNotice(entry) else { return nil }
        self = notice
    }

    package func encode(to writer: inout WireWriter) {
        writer.value(senderID)
        writer.value(half.version)
        writer.value(half.want)
        writer.value(half.dismissed)
        writer.bool(half.blocks)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        senderID = try reader.value()
        half = RelationshipHalf(
            version: try reader.value(), want: try reader.value(), dismissed: try reader.value(),
            blocks: try reader.bool())
    }

    /// The notice on its way to `targetID`.
    func entry(id: Snowflake, to targetID: UserID, at now: Timestamp) -> OutboxEntry {
        UserNotice.peer(self).entry(id: id, to: targetID, at: now)
    }
}
