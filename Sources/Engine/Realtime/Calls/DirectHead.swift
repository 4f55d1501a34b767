import FluxCluster
import FluxCore

/// Where a conversation stood when one of its events was shown: its newest message and its number (protocol 10.5).
package struct DirectHead: WireCodable, Equatable, Sendable {
    package var lastMessageID: MessageID?
    package var lastSequence: SequenceNumber
    package var epoch: Epoch

    package init(lastMessageID: MessageID? = nil, lastSequence: SequenceNumber = 0, epoch: Epoch = 0) {
        self.lastMessageID = lastMessageID
        self.lastSequence = lastSequence
        self.epoch = epoch
    }

    /// Where the log of a channel stands, as it was read.
    package init(_ channel: Channel) {
        self.init(lastMessageID: channel.lastMessageID, lastSequence: channel.lastSeq, epoch: channel.epoch)
    }

    package func encode(to writer: inout WireWriter) {
        writer.optional(lastMessageID)
        writer.signed(lastSequence)
        writer.signed(epoch)
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self.init(
            lastMessageID: try reader.optional(), lastSequence: try reader.signed(), epoch: try reader.signed())
    }
}
