import FluxCore

/// Work that any node does now and then and that nobody waits for. Each call does a bounded piece and says how much; a
/// full piece means that there is more. Two nodes at once do no harm.
public struct Maintenance: Sendable {
    /// Rows that one call removes.
    public static let pieceSize = 5_000
    /// How long a channel's log is kept: 7 days, in seconds.
    public static let logSeconds: Int64 = 7 * 86_400
    /// How long the row of a login is kept after it has ended: as long as its access tokens live, with room.
    public static let endedLoginSeconds: Int64 = 86_400
    /// How long it is remembered which commands were performed: far longer than an edge repeats one, in seconds.
    public static let performedCommandSeconds: Int64 = 600

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// Makes the partitions that messages of the next weeks will need. To be called daily.
    @discardableResult
    public func extendPartitions(at now: Timestamp) async throws(StoreError) -> Int {
        try await count(Queries.extend, [.id(.lowest(atMilliseconds: now.milliseconds))])
    }

    /// Forgets whole partitions of messages and reactions that are older than `moment`; returns how many.
    @discardableResult
    public func dropMessages(before moment: Timestamp) async throws(StoreError) -> Int {
        try await count(Queries.dropMessages, [.id(.lowest(atMilliseconds: moment.milliseconds))])
    }

    /// Removes log entries that were committed before `moment`.
    public func purgeLog(before moment: Timestamp) async throws(StoreError) -> Int {
        try await count(Queries.purgeLog, [.timestamp(moment), .int(Self.pieceSize)])
    }

    /// Removes tombstones of messages that were deleted before `moment`.
    public func purgeTombstones(before moment: Timestamp) async throws(StoreError) -> Int {
        try await count(Queries.purgeTombstones, [.timestamp(moment), .int(Self.pieceSize)])
    }

    /// Removes refresh tokens that are out of date.
    public func purgeTokens(at now: Timestamp) async throws(StoreError) -> Int {
        try await count(Queries.purgeTokens, [.timestamp(now), .int(Self.pieceSize)])
    }

    /// Removes logins that ended before `moment`.
    public func purgeLogins(endedBefore moment: Timestamp) async throws(StoreError) -> Int {
        try await count(Queries.purgeLogins, [.timestamp(moment), .int(Self.pieceSize)])
    }

    /// Forgets which commands were performed before `moment`.
    public func purgePerformedCommands(before moment: Timestamp) async throws(StoreError) -> Int {
        try await count(Queries.purgePerformedCommands, [.timestamp(moment), .int(Self.pieceSize)])
    }

    /// Removes a piece of what deleted guilds and channels have left behind; 0 when nothing is left.
    public func purgeDeleted() async throws(StoreError) -> Int {
        var removed = 0
        for query in Queries.purgeDeleted { removed += try await count(query, [.int(Self.pieceSize)]) }
        return removed
    }

    private func count(_ query: PreparedQuery, _ parameters: [SQLValue]) async throws(StoreError) -> Int {
        try await database.run(Statement(query, parameters)).first?.integer(0) ?? 0
    }

    enum Queries {
        static let extend = PreparedQuery(
            "maintenance.extendPartitions", "SELECT extend_message_partitions($1)", [.int8], repeatable: true)

        static let dropMessages = PreparedQuery(
            "maintenance.dropMessages", "SELECT drop_messages_before($1)", [.int8], repeatable: false)

        // What is taken is noted in channel_floors in the same statement, so that no number is ever given again.
        static let raiseFloors = """
            INSERT INTO channel_floors AS f (channel_id, seq, epoch, last_message_id)
                SELECT channel_id, max(seq), max(epoch), max(id) FROM gone GROUP BY channel_id ORDER BY channel_id
                ON CONFLICT (channel_id) DO UPDATE SET seq = greatest(f.seq, excluded.seq),
                    epoch = greatest(f.epoch, excluded.epoch),
                    last_message_id = greatest(f.last_message_id, excluded.last_message_id)
            """

        static let purgeLog = PreparedQuery(
            "maintenance.purgeLog",
            """
            WITH gone AS (
                DELETE FROM channel_log WHERE (channel_id, seq) IN (
                    SELECT channel_id, seq FROM channel_log WHERE created_at < $1 ORDER BY created_at LIMIT $2
                    FOR UPDATE SKIP LOCKED)
                RETURNING channel_id, seq, epoch, 0::bigint AS id
            ), noted AS (\(raiseFloors))
            SELECT count(*) FROM gone
            """, [.timestamptz, .int4])

        static let purgeTombstones = PreparedQuery(
            "maintenance.purgeTombstones",
            """
            WITH gone AS (
                DELETE FROM messages WHERE (channel_id, id) IN (
                    SELECT channel_id, id FROM messages WHERE deleted_at < $1 AND deleted_at IS NOT NULL
                    ORDER BY deleted_at LIMIT $2 FOR UPDATE SKIP LOCKED)
                RETURNING channel_id, seq, epoch, id
            ), noted AS (\(raiseFloors))
            SELECT count(*) FROM gone
            """, [.timestamptz, .int4])

        static let purgeTokens = PreparedQuery(
            "maintenance.purgeTokens",
            """
            WITH gone AS (
                DELETE FROM refresh_tokens WHERE hash IN (
                    SELECT hash FROM refresh_tokens WHERE expires_at < $1 ORDER BY expires_at LIMIT $2
                    FOR UPDATE SKIP LOCKED)
                RETURNING 1
            )
            SELECT count(*) FROM gone
            """, [.timestamptz, .int4])

        static let purgeLogins = PreparedQuery(
            "maintenance.purgeLogins",
            """
            WITH gone AS (
                DELETE FROM logins WHERE id IN (
                    SELECT id FROM logins WHERE ended_at < $1 AND ended_at IS NOT NULL ORDER BY ended_at LIMIT $2
                    FOR UPDATE SKIP LOCKED)
                RETURNING 1
            )
            SELECT count(*) FROM gone
            """, [.timestamptz, .int4])

        static let purgePerformedCommands = PreparedQuery(
            "maintenance.purgePerformedCommands",
            """
            WITH gone AS (
                DELETE FROM performed_commands WHERE (target_key, idempotency_key) IN (
                    SELECT target_key, idempotency_key FROM performed_commands WHERE performed_at < $1
                    ORDER BY performed_at LIMIT $2 FOR UPDATE SKIP LOCKED)
                RETURNING 1
            )
            SELECT count(*) FROM gone
            """, [.timestamptz, .int4])

        // From the leaves to the root: a guild's own row goes when nothing refers to it any more.
        static let purgeDeleted: [PreparedQuery] = [
            purge(
                "deletedMessages", table: "messages", key: "channel_id, id",
                where: """
                    x.channel_id IN (SELECT c.id FROM channels c WHERE c.deleted_at IS NOT NULL UNION ALL
                        SELECT c.id FROM channels c JOIN guilds g ON g.id = c.guild_id WHERE g.deleted_at IS NOT NULL)
                    """),
            purge(
                "deletedReactions", table: "reactions", key: "channel_id, message_id, emoji, user_id",
                where: """
                    x.channel_id IN (SELECT c.id FROM channels c WHERE c.deleted_at IS NOT NULL UNION ALL
                        SELECT c.id FROM channels c JOIN guilds g ON g.id = c.guild_id WHERE g.deleted_at IS NOT NULL)
                    """),
            purge("deletedMembers", table: "members", key: "guild_id, user_id", where: ofDeletedGuild),
            purge("deletedBans", table: "bans", key: "guild_id, user_id", where: ofDeletedGuild),
            purge(
                "deletedOverwrites", table: "overwrites", key: "guild_id, channel_id, target_id", where: ofDeletedGuild),
            purge("deletedRoles", table: "roles", key: "guild_id, id", where: ofDeletedGuild),
            purge(
                "deletedChannels", table: "channels", key: "id",
                where: """
                    (x.deleted_at IS NOT NULL
                        OR x.guild_id IN (SELECT id FROM guilds g WHERE g.deleted_at IS NOT NULL))
                    AND NOT EXISTS (SELECT FROM messages m WHERE m.channel_id = x.id)
                    AND NOT EXISTS (SELECT FROM reactions r WHERE r.channel_id = x.id)
                    """),
            purge(
                "deletedGuilds", table: "guilds", key: "id",
                where: """
                    x.deleted_at IS NOT NULL AND NOT EXISTS (SELECT FROM channels c WHERE c.guild_id = x.id)
                    AND NOT EXISTS (SELECT FROM members m WHERE m.guild_id = x.id)
                    """),
        ]

        static let ofDeletedGuild = "x.guild_id IN (SELECT g.id FROM guilds g WHERE g.deleted_at IS NOT NULL)"

        /// Removes rows of one table, named by their key, under a condition on `x`; all of it text of this file.
        static func purge(
            _ name: String, table: String, key: String, where condition: String
        ) -> PreparedQuery {
            let keys = key.split(separator: ", ").map { "x.\($0)" }.joined(separator: ", ")
            return PreparedQuery(
                "maintenance.\(name)",
                """
                WITH gone AS (
                    DELETE FROM \(table) WHERE (\(key)) IN (
                        SELECT \(keys) FROM \(table) x WHERE \(condition) LIMIT $1 FOR UPDATE OF x SKIP LOCKED)
                    RETURNING 1
                )
                SELECT count(*) FROM gone
                """, [.int4])
        }
    }
}
