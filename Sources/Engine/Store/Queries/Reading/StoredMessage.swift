import FluxCore

/// A stored message as it comes back, a tombstone perhaps.
public struct StoredMessage: Sendable, Equatable {
    public var message: Message
    /// The number of the event that deleted it; nil while it stands. A tombstone has no content any more.
    public var deletedSeq: SequenceNumber?

    public init(message: Message, deletedSeq: SequenceNumber? = nil) {
        self.message = message
        self.deletedSeq = deletedSeq
    }

    public var isDeleted: Bool { deletedSeq != nil }
}
