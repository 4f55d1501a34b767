import FluxCore

/// One change of a guild, with the whole new state of what changed: enough to store it, to apply it, and to tell of it.
package enum GuildChange: Sendable, Equatable {
    case guildCreated(GuildFounding)
    case guildUpdated(Guild)
    case guildDeleted

    case channelCreated(Channel)
    case channelUpdated(Channel)
    /// The channels under a category lose their parent by changes of their own.
    case channelDeleted(ChannelID)

    case roleCreated(Role)
    case roleUpdated(Role)
    /// Positions alone, of roles that a change beside this one moved.
    case rolesMoved([RoleID: Int])
    /// Members and overwrites lose it.
    case roleDeleted(RoleID)

    case memberAdded(Member, User)
    case memberUpdated(Member)
    case memberRemoved(UserID)
    /// A member's account looks different.
    case userChanged(User)

    case banAdded(Ban, user: User, by: UserID)
    case banRemoved(UserID, user: User)

    case inviteCreated(Invite)
    case inviteUsed(code: String)
    case inviteDeleted(code: String)
}

/// A guild at its beginning.
package struct GuildFounding: Sendable, Equatable {
    var guild: Guild
    var everyone: Role
    var channels: [Channel]
    var owner: Member
    var user: User
}
