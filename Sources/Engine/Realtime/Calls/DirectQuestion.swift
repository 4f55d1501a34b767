import FluxCluster
import FluxCore

/// A recipient's actor asks a conversation what comes after the last entry of its log that was shown.
struct DirectQuestion: WireCodable, Equatable {
    var recipientID: UserID
    /// The last entry that was shown; of sequence 0 if none ever was.
    var head: ChannelHead

    init(recipientID: UserID, head: ChannelHead) {
        self.recipientID = recipientID
        self.head = head
    }

    func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.value(recipientID)
            fields.value(head)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            DirectQuestion(recipientID: try fields.value(), head: try fields.value())
        }
    }
}
