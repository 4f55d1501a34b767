import FluxCore
import FluxStore

extension ChatWorld {
    /// The client shows the reactions that are stored of a message.
    func auditReactions(of client: ChatClient, in channel: ChannelID, shownSince base: SequenceNumber) {
        guard let shown = client.views[channel]?.reactions.decisions else { return }
        let log = messages.log(of: channel)
        var wrong: [(message: MessageID, decision: Int)] = []
        let stored = log.reactions.values.reduce(into: [:]) { all, own in all.merge(own) { $1 } }
        for key in Set(shown.keys).union(stored.keys) {
            guard let row = log.rows[key.messageID], !row.isDeleted, row.message.seq > base,
                isGiven(shown[key]) != isGiven(stored[key])
            else { continue }
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
}
