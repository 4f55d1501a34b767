/// A guild without what belongs to it: roles, channels and members have values of their own (protocol 6.6).
public struct Guild: Sendable, Equatable {
    public var id: GuildID
    public var name: String
    public var ownerID: UserID
    /// Image hash.
    public var icon: String?
    /// Image hash.
    public var splash: String?
    /// Image hash.
    public var banner: String?
    public var description: String?
    public var afkChannelID: ChannelID?
    /// Seconds.
    public var afkTimeout: Int
    public var systemChannelID: ChannelID?
    public var systemChannelFlags: Int
    public var rulesChannelID: ChannelID?
    public var publicUpdatesChannelID: ChannelID?
    /// 0 none to 4 very high.
    public var verificationLevel: Int
    /// 0 every message, 1 mentions only.
    public var defaultMessageNotifications: Int
    /// 0 off to 2 all members.
    public var explicitContentFilter: Int
    public var nsfwLevel: Int
    public var preferredLocale: String
    public var features: [String]
    public var createdAt: Timestamp

    public init(
        id: GuildID, name: String, ownerID: UserID, icon: String? = nil, splash: String? = nil, banner: String? = nil,
        description: String? = nil, afkChannelID: ChannelID? = nil, afkTimeout: Int = 300,
        systemChannelID: ChannelID? = nil, systemChannelFlags: Int = 0, rulesChannelID: ChannelID? = nil,
        publicUpdatesChannelID: ChannelID? = nil, verificationLevel: Int = 0, defaultMessageNotifications: Int = 0,
        explicitContentFilter: Int = 0, nsfwLevel: Int = 0, preferredLocale: String = "en-US", features: [String] = [],
        createdAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.ownerID = ownerID
        self.icon = icon
        self.splash = splash
        self.banner = banner
        self.description = description
        self.afkChannelID = afkChannelID
        self.afkTimeout = afkTimeout
        self.systemChannelID = systemChannelID
        self.systemChannelFlags = systemChannelFlags
        self.rulesChannelID = rulesChannelID
        self.publicUpdatesChannelID = publicUpdatesChannelID
        self.verificationLevel = verificationLevel
        self.defaultMessageNotifications = defaultMessageNotifications
        self.explicitContentFilter = explicitContentFilter
        self.nsfwLevel = nsfwLevel
        self.preferredLocale = preferredLocale
        self.features = features
        self.createdAt = createdAt ?? id.timestamp
    }

    /// The most members a guild is told to hold.
    public static let maximumMembers = 500_000

    /// Writes the guild object.
    public func write(to writer: inout JSONWriter, roles: some Sequence<Role>, emojis: [[UInt8]] = []) {
        writer.beginObject()
        writeFields(to: &writer, roles: roles, emojis: emojis)
        writer.endObject()
    }

    /// Writes the members of the guild object without its braces, so that a place can add its own (GUILD_CREATE).
    public func writeFields(to writer: inout JSONWriter, roles: some Sequence<Role>, emojis: [[UInt8]] = []) {
        writer.field("id", id)
        writer.field("name", name)
        writer.field("icon", icon)
        writer.field("splash", splash)
        writer.nullField("discovery_splash")
        writer.field("owner_id", ownerID)
        writer.field("afk_channel_id", afkChannelID)
        writer.field("afk_timeout", afkTimeout)
        writer.field("verification_level", verificationLevel)
        writer.field("default_message_notifications", defaultMessageNotifications)
        writer.field("explicit_content_filter", explicitContentFilter)
        writer.key("roles")
        writer.beginArray()
        for role in roles { role.write(to: &writer) }
        writer.endArray()
        writer.key("emojis")
        writer.beginArray()
        for emoji in emojis { writer.raw(emoji) }
        writer.endArray()
        writer.emptyListField("stickers")
        writer.field("features", features)
        writer.field("mfa_level", 0)
        writer.nullField("application_id")
        writer.field("system_channel_id", systemChannelID)
        writer.field("system_channel_flags", systemChannelFlags)
        writer.field("rules_channel_id", rulesChannelID)
        writer.nullField("vanity_url_code")
        writer.field("description", description)
        writer.field("banner", banner)
        writer.field("premium_tier", 0)
        writer.field("premium_subscription_count", 0)
        writer.field("premium_progress_bar_enabled", false)
        writer.field("preferred_locale", preferredLocale)
        writer.field("public_updates_channel_id", publicUpdatesChannelID)
        writer.nullField("safety_alerts_channel_id")
        writer.field("nsfw_level", nsfwLevel)
        writer.nullField("max_presences")
        writer.field("max_members", Self.maximumMembers)
    }

    /// Writes the short form that stands in an invite.
    public func writeBrief(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("id", id)
        writer.field("name", name)
        writer.field("icon", icon)
        writer.field("splash", splash)
        writer.field("banner", banner)
        writer.field("description", description)
        writer.field("features", features)
        writer.field("verification_level", verificationLevel)
        writer.nullField("vanity_url_code")
        writer.field("nsfw_level", nsfwLevel)
        writer.endObject()
    }
}
