/// A role of a guild (protocol 6.3). The one with the guild's own id is `@everyone`, at position 0.
public struct Role: Sendable, Equatable {
    public var id: RoleID
    public var guildID: GuildID
    public var name: String
    public var permissions: Permissions
    /// 24 bits of RGB; 0 is no colour. The same as `colors.primary_color`.
    public var color: Int
    public var secondaryColor: Int?
    public var tertiaryColor: Int?
    /// 0 is `@everyone`; greater ones rank higher.
    public var position: Int
    /// Shown as a group of its own in member lists.
    public var hoist: Bool
    /// Belongs to a bot and is taken away with it.
    public var managed: Bool
    public var mentionable: Bool
    /// Image hash.
    public var icon: String?
    public var unicodeEmoji: String?
    /// The bot to which a managed role belongs.
    public var botID: UserID?

    public init(
        id: RoleID, guildID: GuildID, name: String, permissions: Permissions = [], color: Int = 0,
        secondaryColor: Int? = nil, tertiaryColor: Int? = nil, position: Int = 0, hoist: Bool = false,
        managed: Bool = false, mentionable: Bool = false, icon: String? = nil, unicodeEmoji: String? = nil,
        botID: UserID? = nil
    ) {
        self.id = id
        self.guildID = guildID
        self.name = name
        self.permissions = permissions
        self.color = color
        self.secondaryColor = secondaryColor
        self.tertiaryColor = tertiaryColor
        self.position = position
        self.hoist = hoist
        self.managed = managed
        self.mentionable = mentionable
        self.icon = icon
        self.unicodeEmoji = unicodeEmoji
        self.botID = botID
    }

    /// Whether this is the role that every member has.
    public var isEveryone: Bool {
        id == guildID
    }

    /// Writes the role object.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("id", id)
        writer.field("name", name)
        writer.field("permissions", permissions)
        writer.field("color", color)
        writer.key("colors")
        writer.beginObject()
        writer.field("primary_color", color)
        writer.field("secondary_color", secondaryColor)
        writer.field("tertiary_color", tertiaryColor)
        writer.endObject()
        writer.field("position", position)
        writer.field("hoist", hoist)
        writer.field("managed", managed)
        writer.field("mentionable", mentionable)
        writer.field("icon", icon)
        writer.field("unicode_emoji", unicodeEmoji)
        writer.field("flags", 0)
        if let botID {
            writer.key("tags")
            writer.beginObject()
            writer.field("bot_id", botID)
            writer.endObject()
        }
        writer.endObject()
    }
}
