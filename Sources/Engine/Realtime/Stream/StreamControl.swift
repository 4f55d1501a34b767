import FluxCore

/// What subscribing sessions have to do at a point of a stream, besides passing on the event that carries it.
///
/// Controls travel in the stream itself, so that a change of access takes effect for every later event and no earlier one (I7).
public enum StreamControl: Sendable, Equatable {
    /// Guild stream: which channels these members may view changed.
    case access([AccessChange])
    /// Guild stream: the user is no member any more. Their sessions pass on the event and leave the stream.
    case memberRemoved(UserID)
    /// Guild stream: the guild is gone. Every session passes on the event and leaves the stream.
    case streamEnded
    /// User stream: the user has become a member; their sessions subscribe to the guild.
    case guildJoined(GuildID)
    /// User stream: the user is no member any more. Their sessions leave the guild's stream, if they have not heard it there.
    case guildLeft(GuildID)
    /// User stream: the login has ended; its sessions are closed with 4004.
    case loginEnded(LoginID)
    /// User stream: all sessions of the user are closed with 4004 (a bot's token was reset).
    case credentialsRevoked
    /// User stream: something was missed, or shown in vain, that cannot be mended; the sessions begin anew (I5, I6).
    case broken
}

/// One member's new view of a guild.
public struct AccessChange: Sendable, Equatable {
    public var userID: UserID
    /// What the member may view from here on.
    public var visibility: ChannelVisibility
    /// Bodies of CHANNEL_CREATE for what came into view, in the order of the guild's list.
    public var revealed: [StreamEvent]
    /// Bodies of CHANNEL_DELETE for what went out of view.
    public var hidden: [StreamEvent]

    public init(userID: UserID, visibility: ChannelVisibility, revealed: [StreamEvent], hidden: [StreamEvent]) {
        self.userID = userID
        self.visibility = visibility
        self.revealed = revealed
        self.hidden = hidden
    }
}
