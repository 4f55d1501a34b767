/// A way into a guild (protocol 6.7).
public struct Invite: Sendable, Equatable {
    public var code: String
    public var guildID: GuildID
    public var channelID: ChannelID
    public var inviterID: UserID?
    public var uses: Int
    /// 0 is no bound.
    public var maxUses: Int
    /// Seconds from `createdAt`; 0 is for ever.
    public var maxAge: Int
    public var temporary: Bool
    public var createdAt: Timestamp

    public init(
        code: String, guildID: GuildID, channelID: ChannelID, inviterID: UserID?, uses: Int = 0, maxUses: Int = 0,
        maxAge: Int = 86_400, temporary: Bool = false, createdAt: Timestamp
    ) {
        self.code = code
        self.guildID = guildID
        self.channelID = channelID
        self.inviterID = inviterID
        self.uses = uses
        self.maxUses = maxUses
        self.maxAge = maxAge
        self.temporary = temporary
        self.createdAt = createdAt
    }

    /// The end of its life, or nil.
    public var expiresAt: Timestamp? {
        maxAge > 0 ? createdAt.adding(seconds: Int64(maxAge)) : nil
    }

    /// Whether it lets nobody in any more.
    public func isSpent(at now: Timestamp) -> Bool {
        if let expiresAt, expiresAt <= now { return true }
        return maxUses > 0 && uses >= maxUses
    }

    /// Writes the invite object.
    ///
    /// - Parameters:
    ///   - counts: whether uses, bounds and creation are shown (to those who manage invites).
    ///   - memberCount, presenceCount: `approximate_…` where asked for.
    public func write(
        to writer: inout JSONWriter, channel: Channel, guild: Guild, inviter: User?, withCounts counts: Bool = false,
        memberCount: Int? = nil, presenceCount: Int? = nil
    ) {
        writer.beginObject()
        writer.field("code", code)
        writer.field("type", 0)
        writer.field("guild_id", guild.id)
        writer.key("channel")
        channel.writeBrief(to: &writer)
        writer.key("guild")
        guild.writeBrief(to: &writer)
        if let inviter {
            writer.key("inviter")
            inviter.write(to: &writer)
        }
        writer.field("expires_at", expiresAt)
        if let memberCount { writer.field("approximate_member_count", memberCount) }
        if let presenceCount { writer.field("approximate_presence_count", presenceCount) }
        if counts {
            writer.field("uses", uses)
            writer.field("max_uses", maxUses)
            writer.field("max_age", maxAge)
            writer.field("temporary", temporary)
            writer.field("created_at", createdAt)
        }
        writer.endObject()
    }
}
