/// A user's membership in a guild (protocol 6.2).
public struct Member: Sendable, Equatable {
    public var userID: UserID
    public var guildID: GuildID
    public var nick: String?
    /// Image hash of the avatar shown in this guild.
    public var avatar: String?
    /// Without `@everyone`, each once.
    public var roles: [RoleID]
    public var joinedAt: Timestamp
    public var flags: Int
    public var deaf: Bool
    public var mute: Bool
    public var pending: Bool
    /// The end of the last time-out; it may have passed.
    public var timedOutUntil: Timestamp?

    public init(
        userID: UserID, guildID: GuildID, nick: String? = nil, avatar: String? = nil, roles: [RoleID] = [],
        joinedAt: Timestamp, flags: Int = 0, deaf: Bool = false, mute: Bool = false, pending: Bool = false,
        timedOutUntil: Timestamp? = nil
    ) {
        self.userID = userID
        self.guildID = guildID
        self.nick = nick
        self.avatar = avatar
        self.roles = roles
        self.joinedAt = joinedAt
        self.flags = flags
        self.deaf = deaf
        self.mute = mute
        self.pending = pending
        self.timedOutUntil = timedOutUntil
    }

    /// Whether a time-out is running.
    public func isTimedOut(at now: Timestamp) -> Bool {
        timedOutUntil.map { $0 > now } ?? false
    }

    /// Writes the member object.
    ///
    /// - Parameters:
    ///   - user: the user object in it; nil inside a message, where the author stands beside it.
    ///   - guildID: whether `guild_id` is written, as the GUILD_MEMBER events need it.
    public func write(to writer: inout JSONWriter, user: User?, withGuildID: Bool = false) {
        writer.beginObject()
        if withGuildID { writer.field("guild_id", guildID) }
        if let user {
            writer.key("user")
            user.write(to: &writer)
        }
        writer.field("nick", nick)
        writer.field("avatar", avatar)
        writer.nullField("banner")
        writer.field("roles", roles)
        writer.field("joined_at", joinedAt)
        writer.nullField("premium_since")
        writer.field("deaf", deaf)
        writer.field("mute", mute)
        writer.field("pending", pending)
        writer.field("flags", flags)
        writer.field("communication_disabled_until", timedOutUntil)
        writer.endObject()
    }
}
