import FluxCore
import FluxStore

extension ChatWorld {
    /// The client shows the reactions that are stored of a message; but one that came to nothing at an owner that died before it could
    /// take it back.
    func auditReactions(of client: ChatClient, in channel: ChannelID, shownSince base: SequenceNumber) {
        guard let shown = client.views[channel]?.reactions.decisions else { return }
        let log = messages.log(of: channel)
        var wrong: [(message: MessageID, decision: Int)] = []
        let stored = log.reactions.values.reduce(into: [:]) { all, own in all.merge(own) { $1 } }
        for key in Set(shown.keys).union(stored.keys) {
            guard let row = log.rows[key.messageID], !row.isDeleted, row.message.seq > base,
                isGiven(shown[key]) != isGiven(stored[key])
            else { continue }
            if let decision = shown[key], !isCommitted(decision), !isOwnersLast(decision) { continue }
            wrong.append((key.messageID, shown[key] ?? stored[key] ?? 0))
        }
        for (message, decision) in wrong.sorted(by: { $0.decision < $1.decision }) {
            auditor.violate(
                now,
                "I5: client \(client.number), channel \(channel): shows other reactions of \(message), decision \(decision)"
            )
        }
    }

    private func isGiven(_ decision: Int?) -> Bool { decision.map { ledger.decisions[$0].kind == .react } ?? false }

    /// Whether the owner that decided this still is the channel's owner.
    private func isOwnersLast(_ decision: Int) -> Bool {
        let entry = ledger.decisions[decision]
        return places[entry.channel].flatMap { cluster.database.lease(of: $0.slot) }?.epoch == entry.epoch
    }

    private func isCommitted(_ decision: Int) -> Bool {
        let entry = ledger.decisions[decision]
        return messages.decision(of: entry.sequence, in: entry.channel) == decision
    }
}
