import FluxCore
import FluxRealtime

/// What the routes ask of the engine: to hand a command to the actor of a guild, a channel or a user, wherever that lives,
/// and to return its answer after the commit. Refusals come as `APIError`.
public protocol Engine: Sendable {
    /// Performs a command on a guild.
    func perform(_ command: GuildCommand, on guild: GuildID) async throws -> CommandReply
    /// Performs a command on a channel of a guild or a direct conversation.
    func perform(_ command: ChannelCommand, on channel: ChannelID) async throws -> CommandReply
    /// Performs a command on the caller's own account.
    func perform(_ command: UserCommand) async throws -> CommandReply
    /// The guild of a channel, nil for a direct conversation. Throws 404/10003 for a channel that does not exist.
    func guild(of channel: ChannelID) async throws -> GuildID?
    /// A new id.
    func mintID() throws -> Snowflake
}

/// What the routes read past the actors: lookups that belong to no one key, or that need no order.
public protocol Directory: Sendable {
    /// A user's public self.
    func user(_ id: UserID) async throws -> User?
    /// The user of a name, in lower case.
    func user(named username: String) async throws -> User?
    /// The guilds that a user is a member of, by growing id.
    func guilds(of user: UserID) async throws -> [GuildID]
    /// The guild that an invite leads to.
    func guild(ofInvite code: String) async throws -> GuildID?
    /// What `viewer` may know of `user` beyond the public self (protocol 9.4).
    func profile(of user: UserID, for viewer: UserID) async throws -> Profile
}

/// What two people have in common, and what one may therefore know of the other.
public struct Profile: Sendable {
    /// Guilds that both are members of, with the name that the user bears there.
    public var mutualGuilds: [(id: GuildID, nick: String?)]
    /// Friends of both.
    public var mutualFriends: [User]
    /// Whether they are friends or share a direct conversation.
    public var isAcquainted: Bool

    /// Makes a profile.
    public init(mutualGuilds: [(id: GuildID, nick: String?)], mutualFriends: [User], isAcquainted: Bool) {
        self.mutualGuilds = mutualGuilds
        self.mutualFriends = mutualFriends
        self.isAcquainted = isAcquainted
    }
}
