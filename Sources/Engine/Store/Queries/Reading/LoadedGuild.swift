import FluxCore

/// A guild with all that belongs to it, as its actor needs it.
public struct LoadedGuild: Sendable, Equatable {
    public var guild: Guild
    /// By id; the first is `@everyone`.
    public var roles: [Role]
    /// By id, each with its overwrites and the head of its log.
    public var channels: [Channel]
    /// By user id.
    public var members: [GuildMember]
    public var inviteCount: Int
    public var banCount: Int
    /// Counts the guild's changes.
    public var version: UInt64

    public init(
        guild: Guild, roles: [Role], channels: [Channel], members: [GuildMember], inviteCount: Int, banCount: Int,
        version: UInt64 = 0
    ) {
        self.guild = guild
        self.roles = roles
        self.channels = channels
        self.members = members
        self.inviteCount = inviteCount
        self.banCount = banCount
        self.version = version
    }

    /// The latest epoch of an owner that has written to one of the channels; 0 where nobody has.
    public var newestEpoch: Epoch { channels.lazy.map(\.epoch).max() ?? 0 }
}
