import FluxCore
import FluxStore

extension MessageDatabase.Log {
    /// A reaction is given or taken back, by this decision.
    func take(_ change: ReactionChange, _ decision: Int?) {
        let key = ReactionFold.Key(change)
        reactions[key.messageID, default: [:]][key] = decision
        if change.isAdded {
            given[key.messageID, default: []].insert(key)
        } else {
            given[key.messageID]?.remove(key)
        }
    }

    /// The messages with reactions.
    var reactedMessages: Set<MessageID> { Set(given.lazy.filter { !$0.value.isEmpty }.map(\.key)) }
}

extension MessageDatabase {
    /// The reactions of a message, as `MessageReactions` reads them.
    func reactions(of message: MessageID, in channel: ChannelID) -> [ReactionSet] {
        let own = log(of: channel).given[message] ?? []
        return Dictionary(grouping: own, by: \.emoji).sorted { $0.key < $1.key }.compactMap { emoji, keys in
            Emoji(key: emoji).map { ReactionSet(emoji: $0, userIDs: keys.map(\.userID).sorted()) }
        }
    }
}
