import FluxCore

/// A guild in a row.
enum GuildRow {
    /// The columns of `guilds g`.
    static let columns = """
        g.id, g.name, g.owner_id, g.icon, g.splash, g.banner, g.description, g.afk_channel_id, g.afk_timeout,
        g.system_channel_id, g.system_channel_flags, g.rules_channel_id, g.public_updates_channel_id,
        g.verification_level, g.default_message_notifications, g.explicit_content_filter, g.nsfw_level,
        g.preferred_locale, g.features, g.created_at
        """
    static let count = 20

    static func read(_ row: Row, from first: Int = 0) throws(StoreError) -> Guild {
        func at(_ offset: Int) -> Column { .position(first + offset) }
        return Guild(
            id: try row.id(at(0)), name: try row.text(at(1)), ownerID: try row.id(at(2)),
            icon: try row.optionalText(at(3)), splash: try row.optionalText(at(4)), banner: try row.optionalText(at(5)),
            description: try row.optionalText(at(6)), afkChannelID: try row.optionalID(at(7)),
            afkTimeout: try row.integer(at(8)), systemChannelID: try row.optionalID(at(9)),
            systemChannelFlags: try row.integer(at(10)), rulesChannelID: try row.optionalID(at(11)),
            publicUpdatesChannelID: try row.optionalID(at(12)), verificationLevel: try row.integer(at(13)),
            defaultMessageNotifications: try row.integer(at(14)), explicitContentFilter: try row.integer(at(15)),
            nsfwLevel: try row.integer(at(16)), preferredLocale: try row.text(at(17)), features: try row.texts(at(18)),
            createdAt: try row.timestamp(at(19)))
    }
}
