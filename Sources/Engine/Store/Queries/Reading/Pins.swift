import FluxCore

/// Reads of pins.
public struct Pins: Sendable {
    /// A pinned message and when it was pinned.
    public struct Pin: Sendable, Equatable {
        public var message: Message
        public var pinnedAt: Timestamp
    }

    /// The most pins that one call returns; a channel has at most 50.
    public static let pageLimit = 50

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// The pins of a channel that were set before `before`, the latest first.
    public func list(
        in channelID: ChannelID, guildID: GuildID?, before: Timestamp? = nil, limit: Int = pageLimit
    ) async throws(StoreError) -> [Pin] {
        let rows = try await database.run(
            Statement(
                Queries.list, [.id(channelID), .timestamp(before), .int(max(0, min(limit, Self.pageLimit)))]))
        var pins: [Pin] = []
        for row in rows {
            pins.append(
                Pin(
                    message: try MessageColumns.read(row, guildID: guildID).message,
                    pinnedAt: try row.timestamp(.position(MessageColumns.count))))
        }
        return pins
    }

    /// How many messages are pinned in a channel.
    public func count(in channelID: ChannelID) async throws(StoreError) -> Int {
        try await database.run(Statement(Queries.count, [.id(channelID)])).first?.integer(0) ?? 0
    }

    enum Queries {
        static let list = PreparedQuery(
            "pins.list",
            """
            SELECT \(MessageColumns.columns), m.pinned_at FROM messages m
            WHERE m.channel_id = $1 AND m.pinned_at IS NOT NULL AND m.pinned_at < coalesce($2, 'infinity')
            ORDER BY m.pinned_at DESC, m.id DESC LIMIT $3
            """, [.int8, .timestamptz, .int4])

        static let count = PreparedQuery(
            "pins.count",
            """
            SELECT count(*) FROM (SELECT FROM messages WHERE channel_id = $1 AND pinned_at IS NOT NULL LIMIT 1000) pins
            """, [.int8])
    }
}
