import FluxCluster
import FluxCore
import FluxRealtime

extension ChatClient {
    /// What the client has of one channel.
    final class View {
        /// The last entry that it has seen.
        @exclusivity(unchecked) var head: (sequence: SequenceNumber, epoch: Epoch) = (0, 0)
        /// Where its knowledge begins; nil before the first session.
        var base: (sequence: SequenceNumber, epoch: Epoch)?
        /// Where what it has applied begins: with this it was taken up.
        var start: (sequence: SequenceNumber, epoch: Epoch) = (0, 0)
        /// What it shows.
        @exclusivity(unchecked) var messages = ShownMessages()
        @exclusivity(unchecked) var reactions = ShownReactions()
        /// What it has applied, so that it can go back.
        @exclusivity(unchecked) var applied: [Applied] = []
        /// How far the channel itself has told what happened: the session's stream may be behind that.
        @exclusivity(unchecked) var asked: (sequence: SequenceNumber, epoch: Epoch) = (0, 0)
        /// Events that wait until the channel has been asked what happened meanwhile.
        @exclusivity(unchecked) var waiting: [StreamEvent]?

        /// Whether the channel itself has told what became of an event: also of one that a former owner decided and could not commit.
        func hasBeenTold(_ head: ChannelHead) -> Bool { (head.epoch, head.sequence) <= (asked.epoch, asked.sequence) }
    }

    /// One entry that was applied.
    struct Applied {
        let sequence: SequenceNumber
        let epoch: Epoch
        /// What was applied.
        let decision: Int
        /// Where its message stands in the ledger.
        let place: Int
        /// What the message was before, or the reaction.
        let before: Int?
    }
}
