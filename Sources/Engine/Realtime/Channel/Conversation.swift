import FluxCore

/// What a channel needs of the place it belongs to: who may do what, who people are, and where its events go.
///
/// A guild's channel finds it in its guild, which lives on the same loop, so that a permission change and a send meet there
/// (design 4). A DM finds it in its recipients.
protocol Conversation: AnyObject {
    /// What the caller may do in the channel.
    /// - Throws: `.unknownChannel` if it is gone, `.missingAccess` if the caller may not view it.
    func permissions(of userID: UserID, in channelID: ChannelID) throws(APIError) -> Permissions

    /// The channel as it is now.
    func channel(_ id: ChannelID) -> Channel?

    /// A person of the conversation; nil for strangers.
    func participant(_ id: UserID) -> Participant?

    /// Whether a role can be mentioned by everybody; nil if there is no such role.
    func isMentionable(_ role: RoleID) -> Bool?

    /// Whether the author may reach the others now (blocks in a DM, protocol 9.1).
    func checkMaySend(_ userID: UserID) throws(APIError)

    /// Sends an event to those who may view the channel. - Parameter entry: which entry of the log it is; nil for none.
    func publish(_ kind: EventKind, body: [UInt8], in channelID: ChannelID, _ entry: LogMark?)

    /// The newest message's id and seq changed: what READY and GUILD_CREATE say of the channel.
    func advanced(_ channelID: ChannelID, lastMessageID: MessageID?, lastSequence: SequenceNumber, epoch: Epoch)

    /// The last pin changed.
    func pinned(_ channelID: ChannelID, at moment: Timestamp?)
}

/// Which entry of its channel's log an event is.
struct LogMark {
    var sequence: SequenceNumber
    var messageID: MessageID?
}

/// A person as a conversation knows them.
struct Participant {
    let user: User
    /// The member object without user, encoded; nil in a DM.
    let member: [UInt8]?
    /// The member object with user, encoded; nil in a DM.
    let memberWithUser: [UInt8]?
}
