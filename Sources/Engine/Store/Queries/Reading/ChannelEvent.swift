import FluxCore

/// One entry of a channel's log, as it is told to a client that missed it (protocol 10.5).
public struct ChannelEvent: Sendable, Equatable {
    /// What happened.
    public enum Body: Sendable, Equatable {
        /// A message came. It is shown as it is now; its later edits have entries of their own. One that has been deleted
        /// since is still an entry, so that the numbers stay dense, but what it said is gone; its deletion has an entry
        /// of its own.
        case created(Message)
        /// Anything else, with the JSON of the event's `d`.
        case logged(EventKind, messageID: MessageID?, payload: [UInt8])
        /// Nothing: the event of this number could not be committed.
        case void
    }

    public var seq: SequenceNumber
    public var epoch: Epoch
    public var body: Body

    package init(seq: SequenceNumber, epoch: Epoch, body: Body) {
        self.seq = seq
        self.epoch = epoch
        self.body = body
    }
}
