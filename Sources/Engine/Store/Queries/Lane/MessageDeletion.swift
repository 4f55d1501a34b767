import FluxCore

/// A message that was deleted, and the number of the event that says so.
public struct MessageDeletion: Sendable, Hashable {
    public var channelID: ChannelID
    public var messageID: MessageID
    public var seq: SequenceNumber

    public init(channelID: ChannelID, messageID: MessageID, seq: SequenceNumber) {
        self.channelID = channelID
        self.messageID = messageID
        self.seq = seq
    }
}
