import FluxCore

/// What one mutation changes. Changes of one slot take effect in the order in which they were given to its lane.
public enum Change: Sendable {
    /// A new message; the row is its own entry in the channel's log.
    case createMessage(MessageRow)
    /// The whole new state of a message, and the event that says so.
    case updateMessage(MessageRow, LogEntry)
    /// Messages of one channel become tombstones, under one event.
    case deleteMessages([MessageID], ChannelID, LogEntry)
    /// One reaction comes or goes.
    case reaction(ReactionChange, LogEntry)
    /// All reactions of a message, or those of one emoji, go.
    case clearReactions(channelID: ChannelID, messageID: MessageID, emoji: Emoji?, LogEntry)
    /// An event that changes no row, but has its number: it tells again how something stands.
    case logOnly(LogEntry, about: EventSubject)
    /// A number that was given to an event which did not come to be, and what the event told anew: a later owner sees by it
    /// whether what was shown has been taken back.
    case void(ChannelID, SequenceNumber, Epoch, about: EventSubject?)
    /// Control changes (guild rows, members, outbox …), run in order after one another.
    case statements([Statement])
    /// A value of which only the latest counts (read states): a newer one under the same key replaces one that waits,
    /// and a key is written at most once a second.
    case counter(CounterKey, Statement)
}

/// Names a coalesced value: its kind and up to two ids.
public struct CounterKey: Hashable, Sendable {
    /// The kind of value; each user of counters takes a number of its own.
    public var kind: UInt16
    public var first: Snowflake
    public var second: Snowflake

    public init(kind: UInt16, _ first: Snowflake, _ second: Snowflake) {
        self.kind = kind
        self.first = first
        self.second = second
    }
}

/// A message as it is stored.
public struct MessageRow: Sendable {
    /// The whole state.
    public var message: Message
    /// The sender's key where there was no nonce: what makes its repeats one message (I4).
    public var idempotencyKey: UInt64?

    public init(_ message: Message, idempotencyKey: UInt64? = nil) {
        self.message = message
        self.idempotencyKey = idempotencyKey
    }
}

/// One event of a channel other than a create, as `channel_log` keeps it for 7 days.
public struct LogEntry: Sendable {
    public var channelID: ChannelID
    public var seq: SequenceNumber
    public var epoch: Epoch
    public var kind: EventKind
    /// The message that the event is about, if it is about one.
    public var messageID: MessageID?
    /// JSON of the event's `d`.
    public var payload: [UInt8]

    public init(
        channelID: ChannelID, seq: SequenceNumber, epoch: Epoch, kind: EventKind, messageID: MessageID?,
        payload: [UInt8]
    ) {
        self.channelID = channelID
        self.seq = seq
        self.epoch = epoch
        self.kind = kind
        self.messageID = messageID
        self.payload = payload
    }
}

/// One user's reaction with one emoji, given or taken back.
public struct ReactionChange: Sendable, Hashable {
    public var channelID: ChannelID
    public var messageID: MessageID
    public var userID: UserID
    public var emoji: Emoji
    /// True: given; false: taken back.
    public var isAdded: Bool

    public init(channelID: ChannelID, messageID: MessageID, userID: UserID, emoji: Emoji, isAdded: Bool) {
        self.channelID = channelID
        self.messageID = messageID
        self.userID = userID
        self.emoji = emoji
        self.isAdded = isAdded
    }
}

extension Change {
    /// Memory that the change holds; an estimate.
    var byteCount: Int {
        switch self {
        case .createMessage(let row): row.byteCount
        case .updateMessage(let row, let entry): row.byteCount + entry.byteCount
        case .deleteMessages(let ids, _, let entry): ids.count * 8 + entry.byteCount
        case .reaction(let reaction, let entry): 96 + reaction.emoji.name.utf8.count + entry.byteCount
        case .clearReactions(_, _, let emoji, let entry): 48 + (emoji?.name.utf8.count ?? 0) + entry.byteCount
        case .logOnly(let entry, let subject): entry.byteCount + subject.byteCount
        case .void(_, _, _, let subject): 64 + (subject?.byteCount ?? 0)
        case .statements(let statements): statements.reduce(64) { $0 + $1.byteCount }
        case .counter(_, let statement): 96 + statement.byteCount
        }
    }
}

extension LogEntry {
    var byteCount: Int { 96 + payload.count }
}

extension MessageRow {
    var byteCount: Int {
        512 + message.content.utf8.count + message.embeds.byteCount + message.components.byteCount
            + 8 * (message.mentions.count + message.mentionRoles.count + message.stickerIDs.count)
            + message.attachments.reduce(0) { $0 + $1.byteCount }
    }
}

extension Attachment {
    fileprivate var byteCount: Int {
        192 + filename.utf8.count + (contentType?.utf8.count ?? 0) + (description?.utf8.count ?? 0)
    }
}

extension JSON {
    /// Memory that the value holds, itself included; an estimate. Most messages have empty arrays here, which cost nothing.
    fileprivate var byteCount: Int {
        switch self {
        case .null, .bool, .number: 24
        case .string(let text): 24 + text.utf8.count
        case .array(let elements): elements.reduce(24) { $0 + $1.byteCount }
        case .object(let object): object.members.reduce(24) { $0 + 24 + $1.key.utf8.count + $1.value.byteCount }
        }
    }
}
