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

/// A role in a row.
enum RoleRow {
    /// The columns of `roles r`.
    static let columns = """
        r.id, r.guild_id, r.name, r.permissions, r.color, r.secondary_color, r.tertiary_color, r.position, r.hoist,
        r.managed, r.mentionable, r.icon, r.unicode_emoji, r.bot_id
        """

    static func read(_ row: Row) throws(StoreError) -> Role {
        Role(
            id: try row.id(0), guildID: try row.id(1), name: try row.text(2),
            permissions: Permissions(rawValue: UInt64(bitPattern: try row.int(3))), color: try row.integer(4),
            secondaryColor: try row.optionalInt(5).map { Int($0) },
            tertiaryColor: try row.optionalInt(6).map { Int($0) },
            position: try row.integer(7), hoist: try row.bool(8), managed: try row.bool(9),
            mentionable: try row.bool(10), icon: try row.optionalText(11), unicodeEmoji: try row.optionalText(12),
            botID: try row.optionalID(13))
    }
}

/// A member in a row.
enum MemberRow {
    /// The columns of `members m`.
    static let columns = """
        m.user_id, m.guild_id, m.nick, m.avatar, m.roles, m.joined_at, m.flags, m.deaf, m.mute, m.pending,
        m.timed_out_until
        """
    static let count = 11

    static func read(_ row: Row, from first: Int = 0) throws(StoreError) -> Member {
        func at(_ offset: Int) -> Column { .position(first + offset) }
        return Member(
            userID: try row.id(at(0)), guildID: try row.id(at(1)), nick: try row.optionalText(at(2)),
            avatar: try row.optionalText(at(3)), roles: try row.ids(at(4)), joinedAt: try row.timestamp(at(5)),
            flags: try row.integer(at(6)), deaf: try row.bool(at(7)), mute: try row.bool(at(8)),
            pending: try row.bool(at(9)), timedOutUntil: try row.optionalTimestamp(at(10)))
    }

    /// Rows of a member followed by its user.
    static func readWithUser(_ row: Row) throws(StoreError) -> GuildMember {
        GuildMember(member: try read(row), user: try UserRow.read(row, from: count))
    }
}

/// A member with the account behind it.
public struct GuildMember: Sendable, Equatable {
    public var member: Member
    public var user: User

    public init(member: Member, user: User) {
        self.member = member
        self.user = user
    }
}

/// An overwrite in a row.
enum OverwriteRow {
    /// The columns of `overwrites o`.
    static let columns = "o.channel_id, o.target_id, o.target_kind, o.allow_bits, o.deny_bits"

    static func read(_ row: Row) throws(StoreError) -> (channelID: ChannelID, overwrite: Overwrite) {
        let kind: Int = try row.integer(2)
        guard let kind = Overwrite.Kind(rawValue: kind) else { throw .corrupt("overwrite of kind \(kind)") }
        let overwrite = Overwrite(
            id: try row.id(1), kind: kind, allow: Permissions(rawValue: UInt64(bitPattern: try row.int(3))),
            deny: Permissions(rawValue: UInt64(bitPattern: try row.int(4))))
        return (try row.id(0), overwrite)
    }
}
