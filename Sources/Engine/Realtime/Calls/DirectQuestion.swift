import FluxCluster
import FluxCore

/// A recipient's actor asks a conversation what comes after the last entry of its log that was shown.
package struct DirectQuestion: WireCodable, Equatable {
    package var recipientID: UserID
    /// The last entry that was shown; of sequence 0 if none ever was.
    package var head: ChannelHead

    package init(recipientID: UserID, head: ChannelHead) {
        self.recipientID = recipientID
        self.head = head
    }

    package func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.value(recipientID)
            fields.value(head)
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            DirectQuestion(recipientID: try fields.value(), head: try fields.value())
        }
    }
}
