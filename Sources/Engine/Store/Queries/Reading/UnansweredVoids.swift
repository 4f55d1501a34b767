import Collections
import FluxCore

/// What the void entries of a channel's log leave to be told: things that were shown in a state which never came to be, of which no
/// later entry says how they stand, because the owner that showed them died before it could (I5). Entries are put in in the
/// order of the log. A value without I/O.
public struct UnansweredVoids: Sendable, Equatable {
    /// Messages of which it has to be told what they are, or that they are gone; in the order of the voids.
    public private(set) var messages: OrderedSet<MessageID> = []
    /// Reactions of which it has to be told whether they are there, and whether the picture of the emoji moves; likewise.
    public private(set) var reactions: OrderedDictionary<ReactionFold.Key, Bool> = [:]
    /// Reactions that were shown as cleared and never were, each clear with what was told since of the reactions it took; likewise. What
    /// stands of the others has to be told.
    public private(set) var clears: OrderedDictionary<ReactionFold.Clear, Set<ReactionFold.Key>> = [:]

    public init() {}

    /// Whether nothing is left to be told for certain.
    public var isEmpty: Bool { messages.isEmpty && reactions.isEmpty && clears.isEmpty }

    /// The next entry is a void.
    public mutating func failed(_ subject: EventSubject) {
        switch subject {
        case .messages(let ids): messages.append(contentsOf: ids)
        case .reaction(let key, let animated): reactions[key] = animated
        case .clear(let clear): clears[clear] = []
        }
    }

    /// The next entry is an event that came to be.
    public mutating func told(_ subject: EventSubject) {
        guard !isEmpty else { return }
        switch subject {
        case .messages(let ids): for id in ids { messages.remove(id) }
        case .reaction(let key, _):
            reactions[key] = nil
            for index in clears.values.indices where clears.keys[index].takes(key) {
                clears.values[index].insert(key)
            }
        case .clear(let clear):
            reactions.removeAll { clear.takes($0.key) }
            clears.removeAll { clear.takes($0.key) }
        }
    }

    /// The messages that reactions have to be told of, each once.
    public var reactedMessages: OrderedSet<MessageID> {
        OrderedSet(reactions.keys.map(\.messageID) + clears.keys.map(\.messageID))
    }
}

extension ReactionFold.Clear {
    /// Whether the clear takes this reaction.
    package func takes(_ key: ReactionFold.Key) -> Bool {
        channelID == key.channelID && messageID == key.messageID && (emoji == nil || emoji == key.emoji)
    }

    /// Whether the clear takes all that another one does.
    fileprivate func takes(_ other: ReactionFold.Clear) -> Bool {
        channelID == other.channelID && messageID == other.messageID && (emoji == nil || emoji == other.emoji)
    }
}
