/// What a message answers, forwards or tells of (protocol 6.5).
public struct MessageReference: Sendable, Equatable {
    /// How it is referred to; the raw value is the `type` of the wire.
    public enum Kind: Int, Sendable {
        case reply = 0
        case forward = 1
    }

    public var kind: Kind
    public var channelID: ChannelID
    public var messageID: MessageID
    /// Nil in a direct conversation.
    public var guildID: GuildID?

    public init(kind: Kind = .reply, channelID: ChannelID, messageID: MessageID, guildID: GuildID? = nil) {
        self.kind = kind
        self.channelID = channelID
        self.messageID = messageID
        self.guildID = guildID
    }

    /// Writes the reference object.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("type", kind.rawValue)
        writer.field("channel_id", channelID)
        writer.field("message_id", messageID)
        if let guildID { writer.field("guild_id", guildID) }
        writer.endObject()
    }
}
