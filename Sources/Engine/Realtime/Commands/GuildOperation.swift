import FluxCore

/// What can be asked of a guild: protocol 5.4, the changes of channels in 5.5, and adding a bot (5.8).
public enum GuildOperation: Sendable, Equatable {
    /// Makes the guild; its id was minted by the edge. Body: `name`, `icon`, `channels`.
    case create
    /// The whole guild.
    case get(withCounts: Bool)
    /// The short form of `GET /users/@me/guilds`.
    case summary(withCounts: Bool)
    /// Body: the partial guild.
    case update
    case delete
    /// The caller leaves.
    case leave

    /// The channels that the caller may view.
    case listChannels
    case channel(ChannelID)
    /// Body: the channel.
    case createChannel
    /// Body: a list of `{id, position?, parent_id?, lock_permissions?}`.
    case reorderChannels
    /// Body: the partial channel.
    case updateChannel(ChannelID)
    case deleteChannel(ChannelID)
    /// Body: `type`, `allow`, `deny`.
    case setOverwrite(ChannelID, target: Snowflake)
    case deleteOverwrite(ChannelID, target: Snowflake)

    case member(UserID)
    case listMembers(after: UserID?, limit: Int)
    case searchMembers(query: String, limit: Int)
    /// Body: the partial member.
    case updateMember(UserID)
    /// Body: `nick`, `avatar`.
    case updateOwnMember
    case addRole(UserID, RoleID)
    case removeRole(UserID, RoleID)
    case kick(UserID)

    case listBans(before: UserID?, after: UserID?, limit: Int)
    case getBan(UserID)
    /// Body: `delete_message_seconds`.
    case ban(UserID)
    case unban(UserID)

    case listRoles
    /// Body: the role.
    case createRole
    /// Body: the partial role.
    case updateRole(RoleID)
    /// Body: a list of `{id, position}`.
    case reorderRoles
    case deleteRole(RoleID)

    /// Body: `max_age`, `max_uses`, `temporary`, `unique`; may be empty. The code was drawn by the edge.
    case createInvite(ChannelID, code: String)
    /// Needs no credential.
    case invite(code: String, withCounts: Bool)
    case acceptInvite(code: String)
    case deleteInvite(code: String)
    /// Of one channel, or of all.
    case listInvites(ChannelID?)

    /// The bot joins, with a managed role where the permissions are not empty.
    case addBot(UserID, permissions: Permissions)
}
