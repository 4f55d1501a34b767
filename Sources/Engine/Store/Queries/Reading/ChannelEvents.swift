import FluxCore

/// Reads of the channels' logs.
public struct ChannelEvents: Sendable {
    /// The most events of a page.
    public static let pageLimit = 500
    /// How far back it is looked for the last number that stands. An owner holds fewer events than this that are not
    /// committed, so that more cannot be taken back at once.
    public static let rollbackLimit = 10_000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// The events after number `seq`, creates and others merged in their order, at most `limit` (held to
    /// 1…`pageLimit`).
    ///
    /// With the `epoch` of `seq` it is also found whether the client saw something that did not survive: the last number
    /// that stands is the greatest one up to `seq` that was committed in that epoch or an earlier one. A void does not stand:
    /// whoever saw what had its number may have lost its owner before the deletion came. All is read in one statement, and so
    /// from one state of the log.
    public func after(
        _ seq: SequenceNumber, epoch: Epoch?, in channelID: ChannelID, guildID: GuildID?, limit: Int
    ) async throws(StoreError) -> ChannelEventPage {
        let limit = max(1, min(limit, Self.pageLimit))
        let rows = try await database.run(
            Statement(
                Queries.after,
                [.id(channelID), .int(max(0, seq)), .int(epoch), .int(limit), .int(Self.rollbackLimit)]))
        // The query is a left join to its one row of facts, so there is always a first row.
        guard let facts = rows.first else { throw .corrupt("no facts about channel \(channelID)") }
        let standing = try facts.int(0)
        let head = try LogHead.read(facts, from: 1)
        let purged = try facts.optionalInt(7) ?? 0
        var events: [ChannelEvent] = []
        events.reserveCapacity(rows.count)
        for row in rows where try !row.isNull(9) { events.append(try Self.event(row, guildID: guildID)) }
        return ChannelEventPage(
            events: events, head: head, isTruncated: purged > standing, rolledBackTo: standing < seq ? standing : nil)
    }

    private static func event(_ row: Row, guildID: GuildID?) throws(StoreError) -> ChannelEvent {
        ChannelEvent(seq: try row.int(9), epoch: try row.int(10), body: try body(row, guildID: guildID))
    }

    private static func body(_ row: Row, guildID: GuildID?) throws(StoreError) -> ChannelEvent.Body {
        guard let kind = try row.optionalInt(11) else {
            return .created(try MessageColumns.read(row, guildID: guildID, from: 14).message)
        }
        guard kind != Int64(LoggedEntry.voidKind) else { return .void }
        guard let kind = UInt8(exactly: kind).flatMap(EventKind.init(rawValue:)) else {
            throw .corrupt("log entry of kind \(kind)")
        }
        return .logged(kind, messageID: try row.optionalID(12), payload: try row.bytes(13))
    }

    enum Queries {
        // `standing` is the number up to which the client's copy stands: what it asked for where it named no epoch.
        // Each search runs down an index and stops at the first hit, which is the first row but after a rollback.
        static let after = PreparedQuery(
            "channelEvents.after",
            """
            WITH floor AS MATERIALIZED (
                SELECT max(last_message_id) AS last_message_id, max(seq) AS seq, max(epoch) AS epoch
                FROM channel_floors WHERE channel_id = $1
            ), standing AS MATERIALIZED (
                SELECT CASE WHEN $3::bigint IS NULL THEN $2 ELSE greatest(
                    (SELECT seq FROM (SELECT seq, epoch FROM messages WHERE channel_id = $1 AND seq <= $2
                        ORDER BY seq DESC LIMIT $5) m WHERE epoch <= $3 ORDER BY seq DESC LIMIT 1),
                    (SELECT seq FROM (SELECT seq, epoch, kind FROM channel_log WHERE channel_id = $1 AND seq <= $2
                        ORDER BY seq DESC LIMIT $5) l WHERE epoch <= $3 AND kind <> \(LoggedEntry.voidKind)
                        ORDER BY seq DESC LIMIT 1),
                    (SELECT least(seq, $2) FROM floor WHERE epoch <= $3),
                    0) END AS seq
            ), newest AS MATERIALIZED (
                SELECT id, seq, epoch FROM messages WHERE channel_id = $1 ORDER BY id DESC LIMIT 1
            ), logged AS MATERIALIZED (
                SELECT seq, epoch FROM channel_log WHERE channel_id = $1 ORDER BY seq DESC LIMIT 1
            )
            SELECT standing.seq, newest.id, newest.seq, newest.epoch, logged.seq, logged.epoch, floor.last_message_id,
                floor.seq, floor.epoch, entry.seq, entry.epoch, entry.kind, entry.message_id, entry.payload,
                \(MessageColumns.columns)
            FROM standing CROSS JOIN floor LEFT JOIN newest ON true LEFT JOIN logged ON true
            LEFT JOIN LATERAL (
                (SELECT seq, epoch, NULL::smallint AS kind, id AS message_id, NULL::bytea AS payload FROM messages
                WHERE channel_id = $1 AND seq > standing.seq ORDER BY seq LIMIT $4)
                UNION ALL
                (SELECT seq, epoch, kind, message_id, payload FROM channel_log
                WHERE channel_id = $1 AND seq > standing.seq ORDER BY seq LIMIT $4)
                ORDER BY seq LIMIT $4
            ) entry ON true
            LEFT JOIN messages m ON entry.kind IS NULL AND m.channel_id = $1 AND m.id = entry.message_id
            ORDER BY entry.seq
            """, [.int8, .int8, .int8, .int4, .int4], repeatable: true)
    }
}
