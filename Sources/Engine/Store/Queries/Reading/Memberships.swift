import FluxCore

/// Who is in which guild, read from the person's side: what no single guild's owner knows.
public struct Memberships: Sendable {
    /// The most guilds or members that one call returns.
    public static let pageLimit = 1_000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// The ids of the person's guilds, ascending, at most `pageLimit`.
    public func guildIDs(of userID: UserID) async throws(StoreError) -> [GuildID] {
        var ids: [GuildID] = []
        for row in try await database.run(Self.statement(of: [userID])) {
            ids.append(try row.id(0))
        }
        return ids
    }

    static func statement(of userIDs: [UserID]) -> Statement {
        Statement(Queries.guildIDs, [.ids(userIDs), .int(pageLimit)])
    }

    /// A page of the person's guilds by growing id: those above `after` and below `before`; with `before` alone the last
    /// ones below it.
    public func guilds(
        of userID: UserID, before: GuildID? = nil, after: GuildID? = nil, limit: Int
    ) async throws(StoreError) -> [Guild] {
        let isBackward = before != nil && after == nil
        let rows = try await database.run(
            Statement(
                isBackward ? Queries.guildsBackward : Queries.guildsForward,
                [.id(userID), .id(after ?? Snowflake(0)), .id(before ?? .maximum), .int(Self.clamp(limit))]))
        var guilds: [Guild] = []
        for row in rows { guilds.append(try GuildRow.read(row)) }
        return isBackward ? guilds.reversed() : guilds
    }

    /// The guilds that both are in, with the other one's name there, at most `pageLimit`.
    public func mutualGuilds(
        _ userID: UserID, _ otherID: UserID
    ) async throws(StoreError) -> [(guildID: GuildID, nick: String?)] {
        var mutual: [(guildID: GuildID, nick: String?)] = []
        let rows = try await database.run(
            Statement(Queries.mutualGuilds, [.id(userID), .id(otherID), .int(Self.pageLimit)]))
        for row in rows { mutual.append((try row.id(0), try row.optionalText(1))) }
        return mutual
    }

    /// One member with the account.
    public func member(_ userID: UserID, guildID: GuildID) async throws(StoreError) -> GuildMember? {
        guard let row = try await database.run(Statement(Queries.member, [.id(guildID), .id(userID)])).first
        else { return nil }
        return try MemberRow.readWithUser(row)
    }

    /// Members with a user id above `after`, ascending.
    public func members(
        of guildID: GuildID, after: UserID = Snowflake(0), limit: Int
    ) async throws(StoreError) -> [GuildMember] {
        let rows = try await database.run(
            Statement(Queries.members, [.id(guildID), .id(after), .int(Self.clamp(limit))]))
        var members: [GuildMember] = []
        for row in rows { members.append(try MemberRow.readWithUser(row)) }
        return members
    }

    private static func clamp(_ limit: Int) -> Int { max(0, min(limit, pageLimit)) }

    enum Queries {
        static let guildIDs = PreparedQuery.forEach(
            "memberships.guildIDs", order: 1, [.int4],
            """
            SELECT m.guild_id FROM members m JOIN guilds g ON g.id = m.guild_id AND g.deleted_at IS NULL
            WHERE m.user_id = wanted.id ORDER BY m.guild_id LIMIT $2
            """)

        static let guildsForward = PreparedQuery(
            "memberships.guildsForward",
            """
            SELECT \(GuildRow.columns) FROM members m JOIN guilds g ON g.id = m.guild_id AND g.deleted_at IS NULL
            WHERE m.user_id = $1 AND m.guild_id > $2 AND m.guild_id < $3 ORDER BY m.guild_id LIMIT $4
            """, [.int8, .int8, .int8, .int4])

        static let guildsBackward = PreparedQuery(
            "memberships.guildsBackward",
            """
            SELECT \(GuildRow.columns) FROM members m JOIN guilds g ON g.id = m.guild_id AND g.deleted_at IS NULL
            WHERE m.user_id = $1 AND m.guild_id > $2 AND m.guild_id < $3 ORDER BY m.guild_id DESC LIMIT $4
            """, [.int8, .int8, .int8, .int4])

        static let mutualGuilds = PreparedQuery(
            "memberships.mutualGuilds",
            """
            SELECT o.guild_id, o.nick FROM members m JOIN members o ON o.guild_id = m.guild_id AND o.user_id = $2
                JOIN guilds g ON g.id = m.guild_id AND g.deleted_at IS NULL
            WHERE m.user_id = $1 ORDER BY m.guild_id LIMIT $3
            """, [.int8, .int8, .int4])

        static let member = PreparedQuery(
            "memberships.member",
            """
            SELECT \(MemberRow.columns), \(UserRow.columns) FROM members m JOIN users u ON u.id = m.user_id
            WHERE m.guild_id = $1 AND m.user_id = $2
            """, [.int8, .int8])

        static let members = PreparedQuery(
            "memberships.members",
            """
            SELECT \(MemberRow.columns), \(UserRow.columns) FROM members m JOIN users u ON u.id = m.user_id
            WHERE m.guild_id = $1 AND m.user_id > $2 ORDER BY m.user_id LIMIT $3
            """, [.int8, .int8, .int4])
    }
}
