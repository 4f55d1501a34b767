import FluxCluster
import FluxCore
import FluxStore

import struct NIOCore.TimeAmount

/// How the user's conversations are followed, and what is done when something of them is missing.
extension UserActor {
    /// How long a conversation that could not be asked is left alone.
    private static var pause: TimeAmount { .seconds(1) }
    /// How soon after a change of owners conversations are compared with what is stored. What a former owner of one had under way
    /// has come to its end by then, or never will; of what a living one has, it tells the user's new owner.
    private static var comparisonDelay: TimeAmount { .seconds(2) }

    /// Carries out what an event or an answer comes to.
    func perform(_ steps: [ConversationLogs.Step]) {
        for step in steps {
            switch step {
            case .show(let event, let digest): show(event, digest.map(Shown.conversations) ?? .part)
            case .retract(let messageID, let channelID, let digest):
                emit(
                    .messageDelete, body: StreamEvent.retraction(of: messageID, in: channelID),
                    intents: EventKind.messageDelete.directIntent ?? [],
                    shown: digest.map(Shown.conversations) ?? .part)
            case .passOver: passOver()
            case .ask(let question): ask(question)
            case .breakOff: emit(.sessionsReplace, body: [], audience: .nobody, control: .broken)
            }
        }
    }

    /// An event of a DM. The first message of one that is not open opens it (protocol 7.9).
    private func show(_ event: DirectEvent, _ shown: Shown) {
        // Asked first: to insert what is there would have the digest computed anew, for every message.
        if event.kind == .messageCreate, !openDirects.contains(event.channelID) {
            openDirects.insert(event.channelID)
            commitOpening(of: event.channelID)
            emit(.channelCreate, body: event.opening, shown: .part)
        }
        emit(event.kind, body: event.body, intents: event.kind.directIntent ?? [], shown: shown)
    }

    private func ask(_ question: DirectQuestion) {
        let channelID = question.head.channelID
        services.system.invoke(
            ChannelCalls.missed, on: ChannelLocation(guildID: nil).address(of: channelID), question,
            replyOn: loop.index
        ) { [weak self] result in
            self?.assumeIsolated { $0.answered(result, by: channelID) }
        }
    }

    private func answered(_ result: Result<DirectCorrection, CallError>, by channelID: ChannelID) {
        let now = services.clock.milliseconds
        switch result {
        case .success(let correction):
            perform(conversations.answered(correction, reign: reign(over: channelID), at: now))
        case .failure(.refused(let failure as APIError)) where failure.status == 404:
            perform(conversations.unanswered(channelID, isGone: true, at: now))
        case .failure:
            loop.executor.eventLoop.scheduleTask(in: Self.pause) { [weak self] in
                self?.assumeIsolated { user in
                    user.perform(user.conversations.unanswered(channelID, isGone: false, at: now))
                }
            }
        }
    }

    /// A conversation's owner says where its log stands. One that is not on the user's list may have to be put there by what was missed.
    func heard(_ head: ChannelHead) {
        let isFollowed = loop.relays.hasSubscribers(publisher.key) || !openDirects.contains(head.channelID)
        perform(
            conversations.heard(
                DirectHead(lastSequence: head.sequence, epoch: head.epoch), of: head.channelID,
                isFollowed: isFollowed))
    }

    /// The epoch at which a conversation is owned now, as far as is known here.
    func reign(over channelID: ChannelID) -> Epoch { services.system.assignment(of: Slot(of: channelID)).epoch }

    // MARK: Comparing

    /// These slots have other owners.
    func slotsMoved(_ slots: Set<Slot>) {
        if conversations.touches(slots) { compareSoon() }
    }

    /// Compares the conversations with what is stored, soon: an owner may have died with something that it had committed and
    /// told nobody, or had told and not committed (I5, I6).
    func compareSoon() {
        guard comparison == nil else { return }
        comparison = loop.executor.eventLoop.scheduleTask(in: Self.comparisonDelay) { [weak self] in
            self?.assumeIsolated { user in
                user.comparison = nil
                Task { await user.compare() }
            }
        }
    }

    private func compare() async {
        guard loop.relays.hasSubscribers(publisher.key) else { return }
        do {
            for direct in try await services.conversationLists.value(of: userID) ?? [] {
                perform(conversations.compared(DirectHead(direct.channel), of: direct.channel.id))
            }
        } catch { compareSoon() }
    }
}
