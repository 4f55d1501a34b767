import FluxCluster
import FluxCore

/// An event of a DM on its way to one of its recipients.
struct DirectEvent: WireCodable, Equatable {
    var channelID: ChannelID
    var kind: EventKind
    var body: [UInt8]
    /// With a new message: the `d` of the CHANNEL_CREATE that comes first if the recipient does not have the DM open.
    var opening: [UInt8]
    /// Where the conversation stands with this event.
    var head: DirectHead

    func encode(to writer: inout WireWriter) {
        writer.value(channelID)
        writer.byte(kind.rawValue)
        writer.byteArray(body)
        writer.byteArray(opening)
        writer.value(head.lastMessageID)
        writer.value(head.lastSequence)
        writer.value(head.epoch)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let channelID = try reader.value(ChannelID.self)
        let number = try reader.byte()
        guard let kind = EventKind(rawValue: number) else { throw .unknownCase(UInt64(number)) }
        self.channelID = channelID
        self.kind = kind
        body = try reader.byteArray()
        opening = try reader.byteArray()
        head = DirectHead(
            lastMessageID: try reader.value(), lastSequence: try reader.value(), epoch: try reader.value())
    }

    init(channelID: ChannelID, kind: EventKind, body: [UInt8], opening: [UInt8], head: DirectHead) {
        self.channelID = channelID
        self.kind = kind
        self.body = body
        self.opening = opening
        self.head = head
    }
}
