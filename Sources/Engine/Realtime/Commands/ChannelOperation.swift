import FluxCore

/// What can be asked of a channel: the messages, reactions and pins of protocol 5.5 and 5.6, and its events (10.5).
public enum ChannelOperation: Sendable, Equatable {
    /// Where a page of history lies.
    public enum Page: Sendable, Equatable {
        case newest
        case before(Snowflake)
        case after(Snowflake)
        case around(Snowflake)
    }

    case get
    /// Body: the message create. The files have been stored by the edge.
    case send(attachments: [Attachment])
    /// Body: the message edit. The new files have been stored by the edge.
    case edit(MessageID, attachments: [Attachment])
    case delete(MessageID)
    /// Body: `messages`.
    case bulkDelete
    case history(Page, limit: Int)
    case message(MessageID)
    case typing

    case addReaction(MessageID, Emoji)
    case removeReaction(MessageID, Emoji, UserID)
    /// All, or those of one emoji.
    case clearReactions(MessageID, Emoji?)
    case listReactions(MessageID, Emoji, after: UserID?, limit: Int)

    /// The old list where `legacy`, else the one of pages.
    case pins(before: Timestamp?, limit: Int, legacy: Bool)
    case pin(MessageID)
    case unpin(MessageID)

    /// What happened after a number the caller holds; `epoch` is that number's.
    case events(after: SequenceNumber, limit: Int, epoch: Epoch?)
}
