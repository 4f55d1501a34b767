import FluxCore
import FluxStore

extension PendingChanges.Correction {
    /// What a new owner has to tell, because an earlier one showed it in vain and died before it could say so (I5): how everything stands
    /// that the voids speak of, in their order; messages first, since who dropped one shows no reaction of it.
    /// - Parameters:
    ///   - messages: what is stored of `voids.messages` and `voids.reactedMessages`; those that are gone are missing.
    ///   - standing: which of the reactions that the voids name are stored.
    ///   - cleared: the reactions that are stored of the messages whose reactions were cleared in vain.
    package static func inherited(
        _ voids: UnansweredVoids, messages: [MessageID: Message], standing: Set<ReactionFold.Key>,
        cleared: [MessageID: [ReactionSet]]
    ) -> [PendingChanges.Correction] {
        var owed = voids.messages.map { id in messages[id].map(Self.state) ?? .deletion(id) }
        // Nobody shows the reactions of a message that is gone.
        for (key, animated) in voids.reactions where messages[key.messageID] != nil {
            let change = ReactionChange(key, animated: animated, isAdded: standing.contains(key))
            if let change { owed.append(.reaction(change)) }
        }
        // One that several voids speak of is told once.
        var keys = Set(voids.reactions.keys)
        for (clear, told) in voids.clears where messages[clear.messageID] != nil {
            for set in cleared[clear.messageID] ?? [] {
                for userID in set.userIDs {
                    let change = ReactionChange(
                        channelID: clear.channelID, messageID: clear.messageID, userID: userID, emoji: set.emoji,
                        isAdded: true)
                    let key = ReactionFold.Key(change)
                    guard clear.takes(key), !told.contains(key), keys.insert(key).inserted else { continue }
                    owed.append(.reaction(change))
                }
            }
        }
        return owed
    }

    /// What the correction tells.
    package var subject: EventSubject {
        switch self {
        case .deletion(let id): .messages([id])
        case .state(let message): .messages([message.id])
        case .reaction(let change): EventSubject(change)
        }
    }
}

extension ReactionChange {
    /// - Returns: nil if the key's emoji is none.
    fileprivate init?(_ key: ReactionFold.Key, animated: Bool, isAdded: Bool) {
        guard var emoji = Emoji(key: key.emoji) else { return nil }
        emoji.animated = animated
        self.init(
            channelID: key.channelID, messageID: key.messageID, userID: key.userID, emoji: emoji, isAdded: isAdded)
    }
}
