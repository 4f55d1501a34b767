import FluxCluster
import FluxCore
import FluxStore

/// What one user's actor tells another's through the outbox: the sender's half of their relationship, whole.
struct PeerNotice: WireCodable, Equatable {
    /// The kind of actor that outbox entries with notices are for: users, as in `StreamKey.Kind`.
    static let targetKind = StreamKey.Kind.user.rawValue

    var senderID: UserID
    var half: RelationshipHalf

    init(senderID: UserID, half: RelationshipHalf) {
        self.senderID = senderID
        self.half = half
    }

    /// Reads the payload of an outbox entry; nil for one that is none of ours.
    init?(_ entry: OutboxEntry) {
        var reader = WireReader(entry.payload)
        guard entry.targetKind == Self.targetKind, let notice = try? PeerNotice(from: &reader) else { return nil }
        self = notice
    }

    func encode(to writer: inout WireWriter) {
        writer.value(senderID)
        writer.value(half.version)
        writer.value(half.want)
        writer.value(half.dismissed)
        writer.bool(half.blocks)
    }

    init(from reader: inout WireReader) throws(WireError) {
        senderID = try reader.value()
        half = RelationshipHalf(
            version: try reader.value(), want: try reader.value(), dismissed: try reader.value(),
            blocks: try reader.bool())
    }

    /// The notice on its way to `targetID`.
    func entry(id: Snowflake, to targetID: UserID, at now: Timestamp) -> OutboxEntry {
        var writer = WireWriter()
        encode(to: &writer)
        return OutboxEntry(
            id: id, targetKind: Self.targetKind, targetKey: targetID, createdAt: now, payload: writer.bytes)
    }
}
