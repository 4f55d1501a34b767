import FluxCore

/// One row of a channel's log: an event, or a void entry where an event did not come to be.
public struct LoggedEntry: Sendable, Hashable {
    public var channelID: ChannelID
    public var seq: SequenceNumber
    public var epoch: Epoch
    /// `EventKind.rawValue`, or `voidKind`.
    public var kind: UInt8
    public var messageID: MessageID?
    /// JSON of the event's `d`; in a void entry what its event told anew (`EventSubject.columns`).
    public var payload: [UInt8]

    /// The kind of a void entry; no event has it.
    public static let voidKind: UInt8 = 0

    /// The row of an event.
    public init(_ entry: LogEntry) {
        channelID = entry.channelID
        seq = entry.seq
        epoch = entry.epoch
        kind = entry.kind.rawValue
        messageID = entry.messageID
        payload = entry.payload
    }

    /// The row of a number whose event did not come to be, and what that told anew.
    public init(voidIn channelID: ChannelID, seq: SequenceNumber, epoch: Epoch, about subject: EventSubject? = nil) {
        self.channelID = channelID
        self.seq = seq
        self.epoch = epoch
        kind = Self.voidKind
        (messageID, payload) = subject?.columns ?? (nil, [])
    }
}
