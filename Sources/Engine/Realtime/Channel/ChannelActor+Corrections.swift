import Distributed
import FluxCluster
import FluxCore
import FluxStore
import NIOCore

/// Taking back what was shown and will never be durable (design 6, protocol 10.5): a MESSAGE_DELETE, or the state that stands,
/// with the next number.
extension ChannelActor {
    /// Something is owed since just now.
    func takeBack(_ correction: PendingChanges.Correction) {
        switch correction {
        case .deletion(let id): active[id]?.restore(nil)
        case .state(let message): active[message.id]?.restore(message)
        case .reaction(let change): active[change.messageID]?.restore(change)
        }
        if state.owedCorrections.count == 1 { payCorrections() }
    }

    /// Announces what is owed, in order. A lane that is full, as in a long outage, is asked again when it has room: what was
    /// shown and does not stand must not stay with anybody (I5).
    func payCorrections() {
        while !isOver, !correctionsWait, let correction = state.owedCorrections.first {
            switch correction {
            case .deletion(let id):
                guard pay(correction, .messageDelete, { self.body.messageDelete(id, sequence: $0) }) else { return }
            case .state(let message):
                correctionsWait = true
                Task { await self.show(message) }
            case .reaction(let change):
                let kind: EventKind = change.isAdded ? .messageReactionAdd : .messageReactionRemove
                guard pay(correction, kind, { self.reactionBody(change, sequence: $0) }) else { return }
            }
        }
        if state.owedCorrections.isEmpty { correctionsArePaid() }
    }

    /// The body of a MESSAGE_REACTION_ADD or MESSAGE_REACTION_REMOVE.
    func reactionBody(_ change: ReactionChange, sequence: SequenceNumber) -> [UInt8] {
        let id = change.messageID
        guard change.isAdded else {
            return body.reaction(
                change.emoji, of: change.userID, on: id, authorID: nil, member: nil, sequence: sequence)
        }
        return body.reaction(
            change.emoji, of: change.userID, on: id, authorID: (active[id]?.message ?? state.tail[id])?.authorID,
            member: conversation.participant(change.userID)?.memberWithUser, sequence: sequence)
    }

    /// Reads what else stands in the body of a message's event, then announces it, unless something newer was shown meanwhile.
    private func show(_ message: Message) async {
        var author = conversation.participant(message.authorID)
        if author == nil, let user = try? await services.users.user(message.authorID) {
            author = Participant(user: user, member: nil, memberWithUser: nil)
        }
        let referenced = await referencedBody(of: message)
        correctionsWait = false
        guard case .state(let owed)? = state.owedCorrections.first, owed == message else { return payCorrections() }
        guard let author else { return payLater() }
        let isPaid = pay(.state(message), .messageUpdate) { sequence in
            self.updateBody(of: message, by: author, referenced: referenced, sequence: sequence)
        }
        if isPaid { payCorrections() }
    }

    /// Gives a correction its number and shows it; false if the lane takes nothing now.
    private func pay(
        _ correction: PendingChanges.Correction, _ kind: EventKind, _ makeBody: (SequenceNumber) -> [UInt8]
    ) -> Bool {
        let id = correction.messageID
        let sequence = state.takeSequence()
        let payload = makeBody(sequence)
        let entry = LogEntry(
            channelID: channelID, seq: sequence, epoch: state.epoch, kind: kind, messageID: id, payload: payload)
        do throws(CommitRefusal) {
            try commit(.logOnly(entry, about: correction.subject), sequence: sequence) { channel, result in
                channel.state.correctionSettled(correction, by: sequence, isDurable: result != .withdrawn)
                if channel.state.owedCorrections.count == 1 { channel.payCorrections() }
            }
        } catch {
            // A lane that is closed belongs to a node that stops; its successor learns of the void from the log.
            if error == .laneIsFull { payWhenThereIsRoom() }
            return false
        }
        state.paid(by: sequence)
        announce(kind, payload, LogMark(sequence: sequence, messageID: id))
        return true
    }

    /// However long it takes: this is owed.
    private func payWhenThereIsRoom() {
        correctionsWait = true
        let retry: () -> Void = { [weak self] in self?.assumeIsolated { $0.payNow() } }
        let again: () -> Void = { [weak self] in self?.assumeIsolated { $0.payWhenThereIsRoom() } }
        if !loop.waitForLane(of: slot, proceed: retry, giveUp: again) {
            loop.executor.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1), again)
        }
    }

    /// Postgres could not be asked.
    private func payLater() {
        correctionsWait = true
        let retry: () -> Void = { [weak self] in self?.assumeIsolated { $0.payNow() } }
        loop.executor.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(500), retry)
    }

    private func payNow() {
        correctionsWait = false
        payCorrections()
    }
}
