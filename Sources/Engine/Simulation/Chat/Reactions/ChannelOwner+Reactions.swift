import FluxCore
import FluxRealtime
import FluxStore

/// Reactions at a channel's owner: what `ChannelActor` does around `ReactionTable` and `ActiveMessage`.
///
/// What is promised is that one which is acknowledged stands, and that everybody is shown what stands.
extension ChannelOwner {
    /// Gives a reaction or takes it back. Of a message that is not at hand nothing is known here.
    func react(_ change: ReactionChange, _ respond: @escaping Respond) {
        guard home.permits(Self.needed(for: change), to: change.userID, in: id),
            let message = state.tail[change.messageID]
        else { return respond(.refused) }
        let entry = active[change.messageID] ?? ActiveMessage()
        active[change.messageID] = entry
        entry.users += 1
        if entry.message == nil { entry.message = message }
        let finish: Respond = { [self] answer in
            entry.users -= 1
            if entry.users == 0 { active[change.messageID] = nil }
            respond(answer)
        }
        withReactions(of: change.messageID, in: entry) { [self] reactions in
            guard let reactions, isActive else { return finish(.notCommitted) }
            decide(change, entry, reactions, finish)
        }
    }

    private static func needed(for change: ReactionChange) -> Permissions {
        change.isAdded ? [.readMessageHistory, .addReactions] : []
    }

    /// The reactions of a message that is being worked on, with what is not final yet; nil if they cannot be had now.
    private func withReactions(
        of message: MessageID, in entry: ActiveMessage, _ body: @escaping (ReactionTable?) -> Void
    ) {
        if let reactions = entry.reactions { return body(reactions) }
        if state.tail[message] != nil, !state.tail.hasReactions(message) {
            entry.reactions = ReactionTable()
            return body(entry.reactions)
        }
        world.read(for: node) { [id] in
            $0.reactions(of: message, in: id)
        } _: { stored in
            if entry.reactions == nil { entry.reactions = stored.map { ReactionTable($0) } }
            body(entry.reactions)
        }
    }

    private func decide(
        _ change: ReactionChange, _ entry: ActiveMessage, _ reactions: ReactionTable, _ respond: @escaping Respond
    ) {
        let emoji = change.emoji.key
        // A second time is no change and no event. It may have waited for what is stored.
        guard reactions.has(emoji, by: change.userID) != change.isAdded, !entry.isDeleted,
            home.permits(Self.needed(for: change), to: change.userID, in: id)
        else { return respond(.refused) }
        let sequence = state.takeSequence()
        let number = world.ledger.add(
            Ledger.Decision(
                kind: change.isAdded ? .react : .unreact, channel: id, sequence: sequence, epoch: state.epoch,
                message: change.messageID), at: world.now)
        world.ledger.reactions[number] = ReactionFold.Key(change)
        noteWrite(number, by: change.userID)
        let kind: EventKind = change.isAdded ? .messageReactionAdd : .messageReactionRemove
        let logged = LogEntry(
            channelID: id, seq: sequence, epoch: state.epoch, kind: kind, messageID: change.messageID,
            payload: Ledger.body(number))
        let isTaken = commit(.reaction(change, logged), sequence) { [self] result in
            if result != .lost, state.reactionSettled(change, by: sequence, isDurable: result == .committed) {
                takeBack()
            }
            respond(result == .committed ? .done(change.messageID, sequence) : .notCommitted)
        }
        guard isTaken else { return respond(.notCommitted) }
        if change.isAdded {
            entry.reactions?.add(emoji, by: change.userID)
        } else {
            entry.reactions?.remove(emoji, by: change.userID)
        }
        state.reacted(change, by: sequence)
        announce(kind, Ledger.body(number), sequence, change.messageID)
    }
}
