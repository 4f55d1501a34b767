import FluxCore

/// A channel in a row, with the head of its log.
enum ChannelRow {
    /// The columns of `channels c` and of `heads`, which must be joined.
    static let columns = """
        c.id, c.kind, c.guild_id, c.name, c.position, c.topic, c.parent_id, c.nsfw, c.slowmode_seconds, c.bitrate,
        c.user_limit, c.recipients, c.owner_id, c.icon, c.last_pin_at, newest.id, newest.seq, newest.epoch, logged.seq,
        logged.epoch, f.last_message_id, f.seq, f.epoch
        """

    /// What the columns need besides `channels c`: the newest message, whose id and seq are the greatest (I2), the newest
    /// entry of the log, and what the purge took. One probe of an index each.
    static let heads = """
        LEFT JOIN LATERAL (SELECT id, seq, epoch FROM messages WHERE channel_id = c.id ORDER BY id DESC LIMIT 1) newest
            ON true
        LEFT JOIN LATERAL (SELECT seq, epoch FROM channel_log WHERE channel_id = c.id ORDER BY seq DESC LIMIT 1) logged
            ON true
        LEFT JOIN channel_floors f ON f.channel_id = c.id
        """

    /// A channel without its overwrites.
    static func read(_ row: Row) throws(StoreError) -> Channel {
        let rawKind: Int = try row.integer(1)
        guard let kind = ChannelKind(rawValue: rawKind) else { throw .corrupt("channel of kind \(rawKind)") }
        let head = try LogHead.read(row, from: 15)
        return Channel(
            id: try row.id(0), kind: kind, guildID: try row.optionalID(2), name: try row.text(3),
            position: try row.integer(4), topic: try row.optionalText(5), parentID: try row.optionalID(6),
            nsfw: try row.bool(7), slowmodeSeconds: try row.integer(8), bitrate: try row.integer(9),
            userLimit: try row.integer(10), recipients: try row.ids(11), ownerID: try row.optionalID(12),
            icon: try row.optionalText(13), lastMessageID: head.lastMessageID, lastPinAt: try row.optionalTimestamp(14),
            lastSeq: head.seq, epoch: head.epoch)
    }
}

/// Where a channel's log stands: what the next event goes on from.
public struct LogHead: Sendable, Equatable {
    /// The greatest number that was committed; 0 before the first.
    public var seq: SequenceNumber = 0
    /// The epoch of `seq`.
    public var epoch: Epoch = 0
    /// The greatest message id that was committed.
    public var lastMessageID: MessageID?

    public init(seq: SequenceNumber = 0, epoch: Epoch = 0, lastMessageID: MessageID? = nil) {
        self.seq = seq
        self.epoch = epoch
        self.lastMessageID = lastMessageID
    }

    /// Reads newest (id, seq, epoch), logged (seq, epoch), floor (last message id, seq, epoch), any of which may be NULL.
    static func read(_ row: Row, from first: Int) throws(StoreError) -> LogHead {
        func optional(_ offset: Int) throws(StoreError) -> Int64? { try row.optionalInt(.position(first + offset)) }
        var head = LogHead()
        let ids = [try optional(0), try optional(5)].compactMap(\.self).filter { $0 > 0 }
        head.lastMessageID = ids.max().flatMap(Snowflake.init(signed:))
        for offset in [1, 3, 6] {
            guard let seq = try optional(offset), let epoch = try optional(offset + 1), seq > head.seq else { continue }
            head.seq = seq
            head.epoch = epoch
        }
        return head
    }
}
