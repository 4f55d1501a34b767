import FluxCore

/// A message in a row.
enum MessageColumns {
    /// The columns of `messages m`.
    static let columns = """
        m.channel_id, m.id, m.seq, m.epoch, m.author_id, m.flags, m.kind, m.tts, m.mention_everyone,
        m.pinned_at IS NOT NULL, m.content, m.nonce, coalesce(m.mentions, '{}'), coalesce(m.mention_roles, '{}'), m.extras,
        m.edited_at, m.deleted_seq
        """
    static let count = 17

    /// The message whose columns begin at `first`. The guild is not stored with it: a channel never changes its own.
    static func read(_ row: Row, guildID: GuildID?, from first: Int = 0) throws(StoreError) -> StoredMessage {
        func at(_ offset: Int) -> Column { .position(first + offset) }
        let kind: Int = try row.integer(at(6))
        var message = Message(
            id: try row.id(at(1)), channelID: try row.id(at(0)), guildID: guildID, authorID: try row.id(at(4)),
            kind: MessageKind(rawValue: kind) ?? .plain, content: try row.text(at(10)),
            editedAt: try row.optionalTimestamp(at(15)), tts: try row.bool(at(7)), pinned: try row.bool(at(9)),
            mentionEveryone: try row.bool(at(8)), mentions: try row.ids(at(12)), mentionRoles: try row.ids(at(13)),
            flags: try row.integer(at(5)), nonce: try nonce(row.optionalText(at(11))), seq: try row.int(at(2)),
            epoch: try row.int(at(3)))
        if let extras = try row.optionalBytes(at(14)) { try MessageExtras.decode(extras, into: &message) }
        return StoredMessage(message: message, deletedSeq: try row.optionalInt(at(16)))
    }

    /// Every row as a message.
    static func readAll(_ rows: Rows, guildID: GuildID?) throws(StoreError) -> [StoredMessage] {
        var messages: [StoredMessage] = []
        messages.reserveCapacity(rows.count)
        for row in rows { messages.append(try read(row, guildID: guildID)) }
        return messages
    }

    static func nonce(_ text: String?) throws(StoreError) -> JSON? {
        guard let text else { return nil }
        guard let json = try? JSON.parse(Array(text.utf8)) else { throw .corrupt("a nonce that is no JSON") }
        return json
    }
}
