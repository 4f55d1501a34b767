import FluxCore

/// The writes of a guild's roles, through the lane of the guild's slot.
extension Statement {
    /// A new role.
    public static func insertRole(_ role: Role) -> Statement {
        Statement(Queries.insert, roleParameters(role))
    }

    /// The role's whole new state.
    public static func updateRole(_ role: Role) -> Statement {
        Statement(Queries.update, roleParameters(role))
    }

    /// New positions of several roles of one guild.
    public static func updateRolePositions(_ positions: [RoleID: Int], guildID: GuildID) -> Statement {
        let ordered = positions.sorted { $0.key < $1.key }
        return Statement(
            Queries.move,
            [.id(guildID), .ids(ordered.map(\.key)), .intArray(ordered.map { Int64($0.value) })])
    }

    /// The role goes, with its overwrites, and out of the list of every member who has it.
    public static func deleteRole(_ id: RoleID, guildID: GuildID) -> Statement {
        Statement(Queries.delete, [.id(guildID), .id(id)])
    }

    private static func roleParameters(_ role: Role) -> [SQLValue] {
        [
            .id(role.guildID), .id(role.id), .int(Int64(bitPattern: role.permissions.rawValue)), .id(role.botID),
            .int(role.color), .int(role.secondaryColor), .int(role.tertiaryColor), .int(role.position),
            .bool(role.hoist), .bool(role.managed), .bool(role.mentionable), .text(role.name), .text(role.icon),
            .text(role.unicodeEmoji),
        ]
    }

    private enum Queries {
        static let types: [SQLType] = [
            .int8, .int8, .int8, .int8, .int4, .int4, .int4, .int4, .bool, .bool, .bool, .text, .text, .text,
        ]

        static let insert = PreparedQuery(
            "roles.insert",
            """
            INSERT INTO roles (guild_id, id, permissions, bot_id, color, secondary_color, tertiary_color, position,
                hoist, managed, mentionable, name, icon, unicode_emoji)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            """, types)

        static let update = PreparedQuery(
            "roles.update",
            """
            UPDATE roles SET permissions = $3, bot_id = $4, color = $5, secondary_color = $6, tertiary_color = $7,
                position = $8, hoist = $9, managed = $10, mentionable = $11, name = $12, icon = $13,
                unicode_emoji = $14
            WHERE guild_id = $1 AND id = $2
            """, types)

        static let move = PreparedQuery(
            "roles.move",
            """
            UPDATE roles r SET position = p.position FROM unnest($2, $3) AS p (id, position)
            WHERE r.guild_id = $1 AND r.id = p.id
            """, [.int8, .int8Array, .int4Array])

        static let delete = PreparedQuery(
            "roles.delete",
            """
            WITH gone AS (DELETE FROM roles WHERE guild_id = $1 AND id = $2),
                opened AS (DELETE FROM overwrites WHERE guild_id = $1 AND target_id = $2)
            UPDATE members SET roles = array_remove(roles, $2) WHERE guild_id = $1 AND $2 = ANY (roles)
            """, [.int8, .int8])
    }
}
