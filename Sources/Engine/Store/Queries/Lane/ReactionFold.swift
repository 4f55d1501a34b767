import FluxCore

/// Brings the reaction changes of one batch, in their order, into three sets that give the same result when they are
/// applied one after the other: clears, then removals, then additions. Pure.
public struct ReactionFold: Sendable {
    /// One person's reaction with one emoji.
    public struct Key: Sendable, Hashable {
        public var channelID: ChannelID
        public var messageID: MessageID
        public var userID: UserID
        /// `Emoji.key`.
        public var emoji: String

        public init(channelID: ChannelID, messageID: MessageID, userID: UserID, emoji: String) {
            self.channelID = channelID
            self.messageID = messageID
            self.userID = userID
            self.emoji = emoji
        }

        /// What the change gives or takes back.
        public init(_ change: ReactionChange) {
            self.init(
                channelID: change.channelID, messageID: change.messageID, userID: change.userID,
                emoji: change.emoji.key)
        }
    }

    /// All reactions of a message, or with one emoji.
    public struct Clear: Sendable, Hashable {
        public var channelID: ChannelID
        public var messageID: MessageID
        /// Nil: every emoji.
        public var emoji: String?

        public init(channelID: ChannelID, messageID: MessageID, emoji: String?) {
            self.channelID = channelID
            self.messageID = messageID
            self.emoji = emoji
        }
    }

    /// A reaction that stands after the batch, and the number of its event.
    public struct Addition: Sendable, Hashable {
        public var key: Key
        /// Whether the picture of the custom emoji moves.
        public var animated: Bool
        public var seq: SequenceNumber

        public init(key: Key, animated: Bool, seq: SequenceNumber) {
            self.key = key
            self.animated = animated
            self.seq = seq
        }
    }

    /// The last word on each key since the last clear that met it: the addition, or nil for taken back.
    private var last: [Key: Addition?] = [:]
    private var cleared: Set<Clear> = []

    public init() {}

    /// The next change is one reaction, with the number of its event.
    public mutating func apply(_ change: ReactionChange, seq: SequenceNumber) {
        let key = Key(change)
        last[key] = .some(change.isAdded ? Addition(key: key, animated: change.emoji.animated, seq: seq) : nil)
    }

    /// The next change takes all reactions of a message, or those with one emoji.
    public mutating func clear(channelID: ChannelID, messageID: MessageID, emoji: Emoji?) {
        let emoji = emoji?.key
        last = last.filter { key, _ in
            key.channelID != channelID || key.messageID != messageID || (emoji != nil && key.emoji != emoji)
        }
        cleared.insert(Clear(channelID: channelID, messageID: messageID, emoji: emoji))
    }

    /// To be applied first.
    public var clears: [Clear] { Array(cleared) }

    /// To be applied second.
    public var removals: [Key] { last.filter { $0.value == nil }.map(\.key) }

    /// To be applied last, in the order of their numbers.
    public var additions: [Addition] {
        last.values.compactMap(\.self).sorted { $0.seq < $1.seq }
    }
}
