import FluxCore

/// A ban with the account it keeps out.
public struct BannedUser: Sendable, Equatable {
    public var ban: Ban
    public var user: User
}

/// Reads of bans. The guild's owner asks here too: bans are not part of what it holds, they may be many.
public struct Bans: Sendable {
    /// The most bans that one call returns.
    public static let pageLimit = 1_000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// The ban of one person in a guild.
    public func find(_ userID: UserID, guildID: GuildID) async throws(StoreError) -> BannedUser? {
        let rows = try await database.run(Statement(Queries.find, [.id(guildID), .id(userID)]))
        guard let row = rows.first else { return nil }
        return try Self.read(row)
    }

    /// A page of a guild's bans by growing user id: those above `after`, or the last ones below `before`.
    public func list(
        guildID: GuildID, before: UserID? = nil, after: UserID? = nil, limit: Int = pageLimit
    ) async throws(StoreError) -> [BannedUser] {
        let limit = max(0, min(limit, Self.pageLimit))
        let isBackward = before != nil && after == nil
        let rows = try await database.run(
            Statement(
                isBackward ? Queries.backward : Queries.forward,
                [.id(guildID), .id(after ?? Snowflake(0)), .id(before ?? .maximum), .int(limit)]))
        var bans: [BannedUser] = []
        for row in rows { bans.append(try Self.read(row)) }
        return isBackward ? bans.reversed() : bans
    }

    private static func read(_ row: Row) throws(StoreError) -> BannedUser {
        BannedUser(
            ban: Ban(
                guildID: try row.id(0), userID: try row.id(1), reason: try row.optionalText(2),
                createdAt: try row.timestamp(3)),
            user: try UserRow.read(row, from: 4))
    }

    enum Queries {
        static let columns = "b.guild_id, b.user_id, b.reason, b.created_at, \(UserRow.columns)"

        static let find = PreparedQuery(
            "bans.find",
            """
            SELECT \(columns) FROM bans b JOIN users u ON u.id = b.user_id WHERE b.guild_id = $1 AND b.user_id = $2
            """, [.int8, .int8])

        static let forward = PreparedQuery(
            "bans.forward",
            """
            SELECT \(columns) FROM bans b JOIN users u ON u.id = b.user_id
            WHERE b.guild_id = $1 AND b.user_id > $2 AND b.user_id < $3 ORDER BY b.user_id LIMIT $4
            """, [.int8, .int8, .int8, .int4])

        static let backward = PreparedQuery(
            "bans.backward",
            """
            SELECT \(columns) FROM bans b JOIN users u ON u.id = b.user_id
            WHERE b.guild_id = $1 AND b.user_id > $2 AND b.user_id < $3 ORDER BY b.user_id DESC LIMIT $4
            """, [.int8, .int8, .int8, .int4])
    }
}
