/// A program of somebody's, with its bot user (protocol 6.7).
public struct Application: Sendable, Equatable {
    /// Also the id of its bot user.
    public var id: ApplicationID
    public var name: String
    public var description: String
    /// Image hash.
    public var icon: String?
    public var ownerID: UserID
    public var isPublic: Bool
    /// Hexadecimal of the public key with which interactions are signed.
    public var verifyKey: String
    public var interactionsEndpointURL: String?
    public var createdAt: Timestamp

    public init(
        id: ApplicationID, name: String, description: String = "", icon: String? = nil, ownerID: UserID,
        isPublic: Bool = true, verifyKey: String, interactionsEndpointURL: String? = nil, createdAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.icon = icon
        self.ownerID = ownerID
        self.isPublic = isPublic
        self.verifyKey = verifyKey
        self.interactionsEndpointURL = interactionsEndpointURL
        self.createdAt = createdAt ?? id.timestamp
    }

    /// Presence, members and message content are allowed to every bot, though nobody has verified it.
    public static let flags = 1 << 13 | 1 << 15 | 1 << 19

    /// Writes the application object.
    public func write(to writer: inout JSONWriter, owner: User, bot: User?, guildCount: Int = 0) {
        writer.beginObject()
        writer.field("id", id)
        writer.field("name", name)
        writer.field("icon", icon)
        writer.field("description", description)
        writer.field("summary", "")
        writer.field("bot_public", isPublic)
        writer.field("bot_require_code_grant", false)
        writer.field("verify_key", verifyKey)
        writer.key("owner")
        owner.write(to: &writer)
        writer.field("flags", Self.flags)
        writer.field("approximate_guild_count", guildCount)
        writer.field("approximate_user_install_count", 0)
        writer.emptyListField("rpc_origins")
        writer.emptyListField("redirect_uris")
        writer.emptyListField("tags")
        writer.nullField("team")
        writer.field("interactions_endpoint_url", interactionsEndpointURL)
        if let bot {
            writer.key("bot")
            bot.write(to: &writer)
        }
        writer.endObject()
    }
}
