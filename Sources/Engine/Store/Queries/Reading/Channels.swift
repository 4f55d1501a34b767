import FluxCore

/// Where a channel belongs: what has to be known to reach its owner. It never changes, so it may be cached for ever.
public struct ChannelPlace: Sendable, Equatable {
    public var id: ChannelID
    /// Nil for a DM or a group DM, which has its own slot.
    public var guildID: GuildID?
    public var kind: ChannelKind

    /// The slot whose owner runs the channel (design 2).
    public var slot: Slot { Slot(of: guildID ?? id) }
}

/// What its new owner has to know of a channel before it accepts the first write.
public struct ChannelActivation: Sendable, Equatable {
    /// Without overwrites, which the guild holds.
    public var channel: Channel
    /// What the next event goes on from.
    public var head: LogHead
    /// The newest messages and tombstones, newest first, at most `Channels.tailLimit`.
    public var tail: [StoredMessage]
    /// What was sent under a nonce or an idempotency key of late (I4): the first page, of more than one in a busy channel.
    public var nonces: NoncePage
}

/// Nonces in the order of their messages.
public struct NoncePage: Sendable, Equatable {
    public var records: [NonceRecord]
    /// Where the next page begins; nil: this is the last one.
    public var next: MessageID?
}

/// A write that must not be done a second time, and what came of the first.
public struct NonceRecord: Sendable, Equatable {
    /// What the writer called it.
    public enum Key: Sendable, Hashable {
        /// The text of the nonce, whether it came as a string or as a number.
        case nonce(String)
        /// The edge's own name for a write without a nonce.
        case idempotency(UInt64)
    }

    public var key: Key
    public var authorID: UserID
    public var messageID: MessageID
    public var seq: SequenceNumber
    public var epoch: Epoch
}

/// Reads of channels, and what their owner needs to begin.
public struct Channels: Sendable {
    /// Messages that an owner holds from the start.
    public static let tailLimit = 100
    /// The most channels that one call of `batch` returns.
    public static let batchLimit = 1_000
    /// Messages with a nonce that are read at once: a page is some megabytes and takes some ten milliseconds.
    public static let noncePage = 50_000

    let database: Database
    private let noncePage: Int

    public init(_ database: Database) { self.init(database, noncePage: Self.noncePage) }

    init(_ database: Database, noncePage: Int) {
        self.database = database
        self.noncePage = noncePage
    }

    /// Where a channel belongs, or nil if there is none (any more).
    public func place(of id: ChannelID) async throws(StoreError) -> ChannelPlace? {
        guard let row = try await database.run(Statement(Queries.place, [.id(id)])).first else { return nil }
        let kind: Int = try row.integer(1)
        guard let kind = ChannelKind(rawValue: kind) else { throw .corrupt("channel of kind \(kind)") }
        return ChannelPlace(id: id, guildID: try row.optionalID(0), kind: kind)
    }

    /// A channel with its head, without overwrites.
    public func find(_ id: ChannelID) async throws(StoreError) -> Channel? {
        guard let row = try await database.run(Statement(Queries.find, [.id(id)])).first else { return nil }
        return try ChannelRow.read(row)
    }

    /// Channels by their ids, with their heads, without overwrites; those that do not exist are missing in the answer. At
    /// most `batchLimit` ids count.
    public func batch(_ ids: [ChannelID]) async throws(StoreError) -> [ChannelID: Channel] {
        var channels: [ChannelID: Channel] = [:]
        for row in try await database.run(Statement(Queries.batch, [.ids(ids.prefix(Self.batchLimit))])) {
            let channel = try ChannelRow.read(row)
            channels[channel.id] = channel
        }
        return channels
    }

    /// What a new owner needs, in one round trip; nil if there is no such channel. To be asked after the acquisition has
    /// committed: from then on nobody else adds to the channel.
    ///
    /// - Parameter noncesSince: `Snowflake.lowest` of ten minutes ago.
    public func activation(of id: ChannelID, noncesSince: MessageID) async throws(StoreError) -> ChannelActivation? {
        let answers = try await database.transaction([
            Statement(Queries.find, [.id(id)]),
            Statement(Queries.tail, [.id(id), .int(Self.tailLimit)]),
            nonces(of: id, from: noncesSince),
        ])
        guard let row = answers[0].first else { return nil }
        let channel = try ChannelRow.read(row)
        return ChannelActivation(
            channel: channel,
            head: LogHead(seq: channel.lastSeq, epoch: channel.epoch, lastMessageID: channel.lastMessageID),
            tail: try MessageColumns.readAll(answers[1], guildID: channel.guildID), nonces: try page(answers[2]))
    }

    /// The nonces of a channel from `first` on, which is where the page before ended.
    public func nonces(of id: ChannelID, from first: MessageID) async throws(StoreError) -> NoncePage {
        try page(try await database.run(nonces(of: id, from: first)))
    }

    private func nonces(of id: ChannelID, from first: MessageID) -> Statement {
        Statement(Queries.nonces, [.id(id), .id(first), .int(noncePage)])
    }

    private func page(_ rows: Rows) throws(StoreError) -> NoncePage {
        var page = NoncePage(records: [])
        page.records.reserveCapacity(rows.count)
        for row in rows { page.records.append(contentsOf: try Self.nonces(row)) }
        if rows.count == noncePage, let last = page.records.last?.messageID {
            page.next = Snowflake(last.rawValue + 1)
        }
        return page
    }

    private static func nonces(_ row: Row) throws(StoreError) -> [NonceRecord] {
        var keys: [NonceRecord.Key] = []
        switch try MessageColumns.nonce(row.optionalText(0)) {
        case .string(let text): keys.append(.nonce(text))
        case let number?: keys.append(.nonce(String(decoding: number.encoded(), as: UTF8.self)))
        case nil: break
        }
        if let key = try row.optionalInt(1) { keys.append(.idempotency(UInt64(bitPattern: key))) }
        var records: [NonceRecord] = []
        for key in keys {
            records.append(
                NonceRecord(
                    key: key, authorID: try row.id(2), messageID: try row.id(3), seq: try row.int(4),
                    epoch: try row.int(5)))
        }
        return records
    }

    enum Queries {
        // A channel of a deleted guild is gone with it, though its row is still to be removed.
        static let alive = """
            c.id = $1 AND c.deleted_at IS NULL
                AND NOT EXISTS (SELECT FROM guilds g WHERE g.id = c.guild_id AND g.deleted_at IS NOT NULL)
            """

        static let place = PreparedQuery(
            "channels.place", "SELECT c.guild_id, c.kind FROM channels c WHERE \(alive)", [.int8])

        static let find = PreparedQuery(
            "channels.find", "SELECT \(ChannelRow.columns) FROM channels c \(ChannelRow.heads) WHERE \(alive)", [.int8])

        static let batch = PreparedQuery(
            "channels.batch",
            """
            SELECT \(ChannelRow.columns) FROM channels c \(ChannelRow.heads)
            WHERE c.id = ANY ($1) AND c.deleted_at IS NULL
                AND NOT EXISTS (SELECT FROM guilds g WHERE g.id = c.guild_id AND g.deleted_at IS NOT NULL)
            """, [.int8Array])

        static let tail = PreparedQuery(
            "channels.tail",
            "SELECT \(MessageColumns.columns) FROM messages m WHERE m.channel_id = $1 ORDER BY m.id DESC LIMIT $2",
            [.int8, .int4])

        static let nonces = PreparedQuery(
            "channels.nonces",
            """
            SELECT nonce, idempotency_key, author_id, id, seq, epoch FROM messages
            WHERE channel_id = $1 AND id >= $2 AND (nonce IS NOT NULL OR idempotency_key IS NOT NULL)
            ORDER BY id LIMIT $3
            """, [.int8, .int8, .int4])
    }
}
