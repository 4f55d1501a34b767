import FluxCore

/// History: committed messages without the deleted ones.
public struct Messages: Sendable {
    /// Which page of a channel's history is asked for (protocol 5.5).
    public enum Page: Sendable, Equatable {
        /// The newest ones.
        case newest
        /// The newest ones below an id.
        case before(MessageID)
        /// The oldest ones above an id.
        case after(MessageID)
        /// Half of the limit, rounded down, below the id, and the rest from it on.
        case around(MessageID)
    }

    /// The most messages that one call returns.
    public static let pageLimit = 100

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// A page of at most `limit` messages (held to 0…`pageLimit`), newest first in every case.
    public func history(
        _ page: Page, in channelID: ChannelID, guildID: GuildID?, limit: Int
    ) async throws(StoreError) -> [Message] {
        let limit = max(0, min(limit, Self.pageLimit))
        switch page {
        case .newest:
            return try await below(nil, in: channelID, guildID: guildID, limit: limit)
        case .before(let id):
            return try await below(id, in: channelID, guildID: guildID, limit: limit)
        case .after(let id):
            // The cursor may be 2^63 − 1, above which there is nothing.
            guard id < .maximum else { return [] }
            let rows = try await database.run(
                above(Snowflake(id.rawValue + 1), in: channelID, limit: limit))
            return try standing(rows, guildID: guildID).reversed()
        case .around(let id):
            let answers = try await database.transaction([
                above(id, in: channelID, limit: limit - limit / 2),
                Statement(Queries.before, [.id(channelID), .id(id), .int(limit / 2)]),
            ])
            return try standing(answers[0], guildID: guildID).reversed() + standing(answers[1], guildID: guildID)
        }
    }

    /// One message, or nil if there is none or it was deleted.
    public func find(
        _ id: MessageID, in channelID: ChannelID, guildID: GuildID?
    ) async throws(StoreError) -> Message? {
        try await batch([id], in: channelID, guildID: guildID).first
    }

    /// One message or its tombstone; nil if there never was one, or its tombstone has been purged.
    public func stored(
        _ id: MessageID, in channelID: ChannelID, guildID: GuildID?
    ) async throws(StoreError) -> StoredMessage? {
        let rows = try await database.run(Statement(Queries.stored, [.id(channelID), .id(id)]))
        return try MessageColumns.readAll(rows, guildID: guildID).first
    }

    /// Those of `ids` that stand, newest first; at most `pageLimit` ids count.
    public func batch(
        _ ids: [MessageID], in channelID: ChannelID, guildID: GuildID?
    ) async throws(StoreError) -> [Message] {
        let rows = try await database.run(
            Statement(Queries.batch, [.id(channelID), .ids(ids.prefix(Self.pageLimit))]))
        return try standing(rows, guildID: guildID)
    }

    /// The numbers of messages, each in its channel; those that do not exist are missing in the answer. Deleted ones keep
    /// theirs. At most `pageLimit` count.
    public func sequences(
        of messages: [(channelID: ChannelID, messageID: MessageID)]
    ) async throws(StoreError) -> [MessageID: SequenceNumber] {
        let asked = messages.prefix(Self.pageLimit)
        let rows = try await database.run(
            Statement(Queries.sequences, [.ids(asked.map(\.channelID)), .ids(asked.map(\.messageID))]))
        var sequences: [MessageID: SequenceNumber] = [:]
        for row in rows { sequences[try row.id(0)] = try row.int(1) }
        return sequences
    }

    private func below(
        _ id: MessageID?, in channelID: ChannelID, guildID: GuildID?, limit: Int
    ) async throws(StoreError) -> [Message] {
        let rows = try await database.run(
            Statement(Queries.before, [.id(channelID), .id(id ?? .maximum), .int(limit)]))
        return try standing(rows, guildID: guildID)
    }

    private func above(_ id: MessageID, in channelID: ChannelID, limit: Int) -> Statement {
        Statement(Queries.from, [.id(channelID), .id(id), .int(limit)])
    }

    private func standing(_ rows: Rows, guildID: GuildID?) throws(StoreError) -> [Message] {
        try MessageColumns.readAll(rows, guildID: guildID).map(\.message)
    }

    enum Queries {
        static let before = PreparedQuery(
            "messages.before",
            """
            SELECT \(MessageColumns.columns) FROM messages m
            WHERE m.channel_id = $1 AND m.id < $2 AND m.deleted_seq IS NULL ORDER BY m.id DESC LIMIT $3
            """, [.int8, .int8, .int4])

        static let from = PreparedQuery(
            "messages.from",
            """
            SELECT \(MessageColumns.columns) FROM messages m
            WHERE m.channel_id = $1 AND m.id >= $2 AND m.deleted_seq IS NULL ORDER BY m.id LIMIT $3
            """, [.int8, .int8, .int4])

        static let sequences = PreparedQuery(
            "messages.sequences",
            """
            SELECT m.id, m.seq FROM unnest($1, $2) AS asked (channel_id, id)
            JOIN messages m ON m.channel_id = asked.channel_id AND m.id = asked.id
            """, [.int8Array, .int8Array])

        static let stored = PreparedQuery(
            "messages.stored",
            "SELECT \(MessageColumns.columns) FROM messages m WHERE m.channel_id = $1 AND m.id = $2",
            [.int8, .int8])

        static let batch = PreparedQuery(
            "messages.batch",
            """
            SELECT \(MessageColumns.columns) FROM messages m
            WHERE m.channel_id = $1 AND m.id = ANY ($2) AND m.deleted_seq IS NULL ORDER BY m.id DESC LIMIT 100
            """, [.int8, .int8Array])
    }
}
