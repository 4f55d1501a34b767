import FluxCore

/// What of an event is durable: by it a later owner of the stream can tell what a listener saw that did not survive, and what
/// it missed that did (I5, I6). Events without a mark, such as typing, are not made up for.
public enum StreamMark: Sendable, Equatable {
    /// The event is this entry of a channel's log.
    case log(ChannelHead, EventKind, messageID: MessageID?)
    /// The event tells of the stream owner's own state as of this version, which was committed before.
    case version(UInt64)
}

/// Where a channel's log stands in the eyes of somebody: the last entry seen, and the epoch it was decided in.
public struct ChannelHead: Sendable, Equatable {
    public var channelID: ChannelID
    public var sequence: SequenceNumber
    public var epoch: Epoch

    public init(channelID: ChannelID, sequence: SequenceNumber, epoch: Epoch) {
        self.channelID = channelID
        self.sequence = sequence
        self.epoch = epoch
    }
}
