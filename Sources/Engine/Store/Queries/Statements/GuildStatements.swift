import FluxCore

/// The writes of a guild's own row. They belong to the guild's key and go through the lane of its slot.
extension Statement {
    /// A new guild. Its `@everyone` role, channels and first member are statements of their own in the same mutation.
    public static func insertGuild(_ guild: Guild) -> Statement {
        Statement(Queries.insert, guildParameters(guild) + [.timestamp(guild.createdAt)])
    }

    /// The guild's whole new state.
    public static func updateGuild(_ guild: Guild) -> Statement {
        Statement(Queries.update, guildParameters(guild))
    }

    /// The guild is gone at once for every reader, and its invites with it; the rest of its rows is removed little by
    /// little (`Maintenance`), because a large guild in one transaction would hold up the lane.
    public static func deleteGuild(_ id: GuildID) -> Statement {
        Statement(Queries.delete, [.id(id)])
    }

    /// How many changes of the guild are committed with this one; stands in the mutation of each.
    public static func setGuildVersion(_ version: UInt64, of id: GuildID) -> Statement {
        Statement(Queries.setVersion, [.id(id), .int(version)])
    }

    private static func guildParameters(_ guild: Guild) -> [SQLValue] {
        [
            .id(guild.id), .id(guild.ownerID), .id(guild.afkChannelID), .id(guild.systemChannelID),
            .id(guild.rulesChannelID), .id(guild.publicUpdatesChannelID), .int(guild.afkTimeout),
            .int(guild.systemChannelFlags), .int(guild.verificationLevel), .int(guild.defaultMessageNotifications),
            .int(guild.explicitContentFilter), .int(guild.nsfwLevel), .text(guild.name), .text(guild.icon),
            .text(guild.splash), .text(guild.banner), .text(guild.description), .text(guild.preferredLocale),
            .textArray(guild.features),
        ]
    }

    private enum Queries {
        static let types: [SQLType] = [
            .int8, .int8, .int8, .int8, .int8, .int8, .int4, .int4, .int2, .int2, .int2, .int2, .text, .text, .text,
            .text, .text, .text, .textArray,
        ]

        static let insert = PreparedQuery(
            "guilds.insert",
            """
            INSERT INTO guilds (id, owner_id, afk_channel_id, system_channel_id, rules_channel_id,
                public_updates_channel_id, afk_timeout, system_channel_flags, verification_level,
                default_message_notifications, explicit_content_filter, nsfw_level, name, icon, splash, banner,
                description, preferred_locale, features, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
            """, types + [.timestamptz])

        static let update = PreparedQuery(
            "guilds.update",
            """
            UPDATE guilds SET owner_id = $2, afk_channel_id = $3, system_channel_id = $4, rules_channel_id = $5,
                public_updates_channel_id = $6, afk_timeout = $7, system_channel_flags = $8, verification_level = $9,
                default_message_notifications = $10, explicit_content_filter = $11, nsfw_level = $12, name = $13,
                icon = $14, splash = $15, banner = $16, description = $17, preferred_locale = $18, features = $19
            WHERE id = $1
            """, types)

        static let setVersion = PreparedQuery(
            "guilds.setVersion", "UPDATE guilds SET version = $2 WHERE id = $1", [.int8, .int8])

        static let delete = PreparedQuery(
            "guilds.delete",
            """
            WITH gone AS (DELETE FROM invites WHERE guild_id = $1)
            UPDATE guilds SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL
            """, [.int8])
    }
}
