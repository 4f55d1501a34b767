import FluxCore

/// Reads of invites. Whether one still lets people in is `Invite.isSpent`.
public struct Invites: Sendable {
    /// The most invites that one call returns.
    public static let pageLimit = 1_000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// The invite of a code, spent or not, unless its guild is gone.
    public func find(_ code: String) async throws(StoreError) -> Invite? {
        guard let row = try await database.run(Statement(Queries.find, [.text(code)])).first else { return nil }
        return try Self.read(row)
    }

    /// The invites of a guild, or of one of its channels, the newest first.
    public func list(guildID: GuildID, channelID: ChannelID? = nil) async throws(StoreError) -> [Invite] {
        let rows = try await database.run(
            Statement(Queries.list, [.id(guildID), .id(channelID), .int(Self.pageLimit)]))
        var invites: [Invite] = []
        for row in rows { invites.append(try Self.read(row)) }
        return invites
    }

    private static func read(_ row: Row) throws(StoreError) -> Invite {
        Invite(
            code: try row.text(0), guildID: try row.id(1), channelID: try row.id(2), inviterID: try row.optionalID(3),
            uses: try row.integer(4), maxUses: try row.integer(5), maxAge: try row.integer(6),
            temporary: try row.bool(7), createdAt: try row.timestamp(8))
    }

    enum Queries {
        static let columns = """
            i.code, i.guild_id, i.channel_id, i.inviter_id, i.uses, i.max_uses, i.max_age, i.temporary, i.created_at
            """

        static let find = PreparedQuery(
            "invites.find",
            """
            SELECT \(columns) FROM invites i JOIN guilds g ON g.id = i.guild_id AND g.deleted_at IS NULL
            WHERE i.code = $1
            """, [.text])

        static let list = PreparedQuery(
            "invites.list",
            """
            SELECT \(columns) FROM invites i WHERE i.guild_id = $1 AND ($2::bigint IS NULL OR i.channel_id = $2)
            ORDER BY i.created_at DESC LIMIT $3
            """, [.int8, .int8, .int4])
    }
}
