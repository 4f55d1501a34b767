import FluxCluster
import FluxCore

/// What brings a recipient of a conversation to what was committed in it (I5, I6).
package struct DirectCorrection: WireCodable, Equatable {
    package var channelID: ChannelID
    /// Of what was shown, only numbers up to this one stand; nil if all does.
    package var standsUpTo: SequenceNumber?
    /// What was committed after that, in order.
    package var missed: [DirectEvent]
    /// Where the log stands with these.
    package var head: DirectHead
    /// The epoch of the owner that answers.
    package var epoch: Epoch
    /// Whether there is more behind `head`.
    package var isComplete: Bool
    /// Entries that were missed have been purged: they cannot be had any more.
    package var isTruncated: Bool

    package init(
        channelID: ChannelID, standsUpTo: SequenceNumber?, missed: [DirectEvent], head: DirectHead, epoch: Epoch,
        isComplete: Bool, isTruncated: Bool
    ) {
        self.channelID = channelID
        self.standsUpTo = standsUpTo
        self.missed = missed
        self.head = head
        self.epoch = epoch
        self.isComplete = isComplete
        self.isTruncated = isTruncated
    }

    package func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.value(channelID)
            fields.bool(standsUpTo != nil)
            fields.signed(standsUpTo ?? 0)
            fields.list(missed)
            fields.value(head)
            fields.signed(epoch)
            fields.bool(isComplete)
            fields.bool(isTruncated)
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            let channelID = try fields.value(ChannelID.self)
            let isRolledBack = try fields.bool()
            let standing: SequenceNumber = try fields.signed()
            return DirectCorrection(
                channelID: channelID, standsUpTo: isRolledBack ? standing : nil, missed: try fields.list(),
                head: try fields.value(), epoch: try fields.signed(), isComplete: try fields.bool(),
                isTruncated: try fields.bool())
        }
    }
}
