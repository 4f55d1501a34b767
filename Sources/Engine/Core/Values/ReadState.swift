/// How far a person has read in a channel (protocol 9.2).
public struct ReadState: Sendable, Equatable {
    public var userID: UserID
    public var channelID: ChannelID
    /// The last message read; 0 before the first.
    public var lastMessageID: MessageID
    public var mentionCount: Int
    public var updatedAt: Timestamp

    public init(
        userID: UserID, channelID: ChannelID, lastMessageID: MessageID, mentionCount: Int = 0, updatedAt: Timestamp
    ) {
        self.userID = userID
        self.channelID = channelID
        self.lastMessageID = lastMessageID
        self.mentionCount = mentionCount
        self.updatedAt = updatedAt
    }

    /// Writes an entry of READY.read_state; `channel` where it is at hand, for the numbers of the channel itself.
    public func write(to writer: inout JSONWriter, lastPinAt: Timestamp? = nil, lastSeq: SequenceNumber?, epoch: Epoch?)
    {
        writer.beginObject()
        writer.field("id", channelID)
        writer.field("last_message_id", lastMessageID)
        writer.field("mention_count", mentionCount)
        if let lastPinAt { writer.field("last_pin_timestamp", lastPinAt) }
        if let lastSeq { writer.field("last_seq", lastSeq) }
        if let epoch { writer.field("epoch", epoch) }
        writer.endObject()
    }
}
