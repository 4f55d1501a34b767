import FluxCluster
import FluxCore
import FluxStore

/// A friend asks how the user looks.
struct PresenceQuestion: WireCodable, Equatable {
    var asker: UserID

    init(asker: UserID) { self.asker = asker }

    func encode(to writer: inout WireWriter) { writer.value(asker) }
    init(from reader: inout WireReader) throws(WireError) { self.init(asker: try reader.value()) }
}

/// Somebody else of a DM has read (protocol 10.3).
struct ReceiptNews: WireCodable, Equatable {
    var receipt: Receipt

    init(_ receipt: Receipt) { self.receipt = receipt }

    func encode(to writer: inout WireWriter) {
        writer.value(receipt.channelID)
        writer.value(receipt.userID)
        writer.value(receipt.messageID)
        writer.signed(receipt.seq)
        writer.signed(receipt.readAt.microseconds)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            Receipt(
                channelID: try reader.value(), userID: try reader.value(), messageID: try reader.value(),
                seq: try reader.signed(), readAt: Timestamp(microseconds: try reader.signed())))
    }
}

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

/// How does the user look to the members of a guild?
struct GuildPresenceQuestion: WireCodable, Equatable {
    var guildID: GuildID

    init(guildID: GuildID) { self.guildID = guildID }

    func encode(to writer: inout WireWriter) { writer.value(guildID) }
    init(from reader: inout WireReader) throws(WireError) { self.init(guildID: try reader.value()) }
}
