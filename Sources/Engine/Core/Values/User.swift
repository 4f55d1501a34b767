/// An account: a person or a bot (protocol 6.1).
public struct User: Sendable, Equatable {
    public var id: UserID
    /// Unique among people; 2 to 32 of `a-z 0-9 . _`.
    public var username: String
    /// `"0"` for people, `"0000"` for bots and webhooks.
    public var discriminator: String
    /// The name shown, where one is set.
    public var globalName: String?
    /// Image hash.
    public var avatar: String?
    /// Image hash.
    public var banner: String?
    /// 24 bits of RGB.
    public var accentColor: Int?
    public var bio: String
    public var pronouns: String
    public var isBot: Bool
    public var publicFlags: Int
    /// Never shown to anybody else.
    public var email: String?
    public var locale: String
    public var createdAt: Timestamp

    public init(
        id: UserID, username: String, discriminator: String? = nil, globalName: String? = nil, avatar: String? = nil,
        banner: String? = nil, accentColor: Int? = nil, bio: String = "", pronouns: String = "", isBot: Bool = false,
        publicFlags: Int = 0, email: String? = nil, locale: String = "en-US", createdAt: Timestamp? = nil
    ) {
        self.id = id
        self.username = username
        self.discriminator = discriminator ?? (isBot ? "0000" : "0")
        self.globalName = globalName
        self.avatar = avatar
        self.banner = banner
        self.accentColor = accentColor
        self.bio = bio
        self.pronouns = pronouns
        self.isBot = isBot
        self.publicFlags = publicFlags
        self.email = email
        self.locale = locale
        self.createdAt = createdAt ?? id.timestamp
    }

    /// Writes what everybody may see.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writePublicFields(to: &writer)
        writer.endObject()
    }

    /// Writes what the account itself sees (`GET /users/@me`, READY, USER_UPDATE).
    public func writeOwn(to writer: inout JSONWriter) {
        writer.beginObject()
        writePublicFields(to: &writer)
        writer.field("mfa_enabled", false)
        writer.field("flags", publicFlags)
        writer.field("locale", locale)
        writer.field("verified", true)
        writer.field("email", email)
        writer.field("premium_type", 0)
        writer.field("bio", bio)
        writer.field("pronouns", pronouns)
        writer.endObject()
    }

    private func writePublicFields(to writer: inout JSONWriter) {
        writer.field("id", id)
        writer.field("username", username)
        writer.field("discriminator", discriminator)
        writer.field("global_name", globalName)
        writer.field("avatar", avatar)
        if isBot { writer.field("bot", true) }
        writer.field("public_flags", publicFlags)
        writer.field("banner", banner)
        writer.field("accent_color", accentColor)
        writer.nullField("avatar_decoration_data")
    }
}
