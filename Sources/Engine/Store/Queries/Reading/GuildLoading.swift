import FluxCore

/// Loads a whole guild when its actor is activated.
public struct GuildLoading: Sendable {
    /// Bounds of what is read; the actor keeps a guild well below them.
    public static let roleLimit = 1_000
    public static let channelLimit = 2_000
    public static let overwriteLimit = 200_000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// The guild, in one round trip whatever its size; nil if there is none, or none any more.
    ///
    /// The parts are read one after the other. They belong together all the same: the new owner reads after its
    /// acquisition has committed, and nobody else can commit a change of the guild from then on.
    public func load(_ id: GuildID) async throws(StoreError) -> LoadedGuild? {
        let answers = try await database.transaction([
            Statement(Queries.guild, [.id(id)]),
            Statement(Queries.roles, [.id(id), .int(Self.roleLimit)]),
            Statement(Queries.channels, [.id(id), .int(Self.channelLimit)]),
            Statement(Queries.overwrites, [.id(id), .int(Self.overwriteLimit)]),
            Statement(Queries.members, [.id(id), .int(Guild.maximumMembers)]),
        ])
        guard let row = answers[0].first else { return nil }
        var roles: [Role] = []
        for row in answers[1] { roles.append(try RoleRow.read(row)) }
        var members: [GuildMember] = []
        members.reserveCapacity(answers[4].count)
        for row in answers[4] { members.append(try MemberRow.readWithUser(row)) }
        return LoadedGuild(
            guild: try GuildRow.read(row), roles: roles,
            channels: try channels(answers[2], overwrites: answers[3]), members: members,
            inviteCount: try row.integer(.position(GuildRow.count)),
            banCount: try row.integer(.position(GuildRow.count + 1)),
            version: try row.integer(.position(GuildRow.count + 2)))
    }

    /// What an invite shows of a guild, and whether there is one: the guild's row and the number of its members.
    public func preview(_ id: GuildID) async throws(StoreError) -> (guild: Guild, memberCount: Int)? {
        guard let row = try await database.run(Statement(Queries.preview, [.id(id)])).first else { return nil }
        return (try GuildRow.read(row), try row.integer(.position(GuildRow.count)))
    }

    private func channels(_ rows: Rows, overwrites: Rows) throws(StoreError) -> [Channel] {
        var byChannel: [ChannelID: [Overwrite]] = [:]
        for row in overwrites {
            let (channelID, overwrite) = try OverwriteRow.read(row)
            byChannel[channelID, default: []].append(overwrite)
        }
        var channels: [Channel] = []
        for row in rows {
            var channel = try ChannelRow.read(row)
            channel.overwrites = byChannel[channel.id] ?? []
            channels.append(channel)
        }
        return channels
    }

    enum Queries {
        static let guild = PreparedQuery(
            "guildLoading.guild",
            """
            SELECT \(GuildRow.columns), (SELECT count(*) FROM invites WHERE guild_id = $1),
                (SELECT count(*) FROM bans WHERE guild_id = $1), g.version
            FROM guilds g WHERE g.id = $1 AND g.deleted_at IS NULL
            """, [.int8])

        static let roles = PreparedQuery(
            "guildLoading.roles",
            "SELECT \(RoleRow.columns) FROM roles r WHERE r.guild_id = $1 ORDER BY r.id LIMIT $2", [.int8, .int4])

        static let channels = PreparedQuery(
            "guildLoading.channels",
            """
            SELECT \(ChannelRow.columns) FROM channels c \(ChannelRow.heads)
            WHERE c.guild_id = $1 AND c.deleted_at IS NULL ORDER BY c.id LIMIT $2
            """, [.int8, .int4])

        static let overwrites = PreparedQuery(
            "guildLoading.overwrites",
            """
            SELECT \(OverwriteRow.columns) FROM overwrites o WHERE o.guild_id = $1
            ORDER BY o.channel_id, o.target_id LIMIT $2
            """, [.int8, .int4])

        static let members = PreparedQuery(
            "guildLoading.members",
            """
            SELECT \(MemberRow.columns), \(UserRow.columns) FROM members m JOIN users u ON u.id = m.user_id
            WHERE m.guild_id = $1 ORDER BY m.user_id LIMIT $2
            """, [.int8, .int4])

        static let preview = PreparedQuery(
            "guildLoading.preview",
            """
            SELECT \(GuildRow.columns), (SELECT count(*) FROM members WHERE guild_id = $1)
            FROM guilds g WHERE g.id = $1 AND g.deleted_at IS NULL
            """, [.int8])
    }
}
