import FluxCluster
import FluxCore
import FluxStore

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
