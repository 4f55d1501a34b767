import FluxCluster
import FluxCore
import FluxStore

/// The newest message that the user has sent in a channel.
struct SentMark: WireCodable, Equatable {
    var channelID: ChannelID
    var messageID: MessageID

    init(channelID: ChannelID, messageID: MessageID) {
        self.channelID = channelID
        self.messageID = messageID
    }

    func encode(to writer: inout WireWriter) {
        writer.value(channelID)
        writer.value(messageID)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(channelID: try reader.value(), messageID: try reader.value())
    }
}
