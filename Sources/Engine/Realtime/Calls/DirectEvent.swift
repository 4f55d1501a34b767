import FluxCluster
import FluxCore

/// An event of a DM on its way to one of its recipients.
struct DirectEvent: WireCodable, Equatable {
    var channelID: ChannelID
    var kind: EventKind
    var body: [UInt8]

    init(channelID: ChannelID, kind: EventKind, body: [UInt8]) {
        self.channelID = channelID
        self.kind = kind
        self.body = body
    }

    func encode(to writer: inout WireWriter) {
        writer.value(channelID)
        writer.byte(kind.rawValue)
        writer.byteArray(body)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let channelID = try reader.value(ChannelID.self)
        let number = try reader.byte()
        guard let kind = EventKind(rawValue: number) else { throw .unknownCase(UInt64(number)) }
        self.init(channelID: channelID, kind: kind, body: try reader.byteArray())
    }
}
