import FluxCore

/// How far somebody has read in a DM (protocol 10.3).
public struct Receipt: Sendable, Equatable {
    public var channelID: ChannelID
    public var userID: UserID
    public var messageID: MessageID
    /// The channel's number at the message.
    public var seq: SequenceNumber
    public var readAt: Timestamp

    public init(
        channelID: ChannelID, userID: UserID, messageID: MessageID, seq: SequenceNumber, readAt: Timestamp
    ) {
        self.channelID = channelID
        self.userID = userID
        self.messageID = messageID
        self.seq = seq
        self.readAt = readAt
    }
}
