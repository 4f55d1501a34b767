import FluxCore

/// What a session that opens needs of a person and their actor does not know.
public struct ReadyParts: Sendable {
    /// The open ones.
    public var directMessages: [DirectMessage]
    public var readStates: [StoredReadState]
    /// What waits in the outbox, in the order of the ids, at most `Outbox.pageLimit`.
    public var outbox: [OutboxEntry]

    public init(
        directMessages: [DirectMessage] = [], readStates: [StoredReadState] = [], outbox: [OutboxEntry] = []
    ) {
        self.directMessages = directMessages
        self.readStates = readStates
        self.outbox = outbox
    }
}
