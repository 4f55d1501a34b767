import FluxCluster
import FluxCore

/// What a send of a session that has moved was answered.
struct SendAnswer: WireCodable, Equatable {
    /// The send's place among those of its channel.
    var send: UInt64
    var channelID: ChannelID
    /// The `d` of op 101.
    var body: [UInt8]

    init(send: UInt64, channelID: ChannelID, body: [UInt8]) {
        self.send = send
        self.channelID = channelID
        self.body = body
    }

    func encode(to writer: inout WireWriter) {
        writer.unsigned(send)
        writer.value(channelID)
        writer.byteArray(body)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(send: try reader.unsigned(), channelID: try reader.value(), body: try reader.byteArray())
    }
}
