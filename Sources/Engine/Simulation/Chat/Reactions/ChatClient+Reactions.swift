import FluxCore
import FluxRealtime
import FluxStore

extension ChatClient {
    private static let emoji = ["👍", "🎉", "🦀"].map { Emoji(id: nil, name: $0) }
    /// Among how many of a channel's newest events something to react to is looked for.
    private static let recentEvents = 20

    /// Gives a reaction to something that it has seen lately, or takes it back.
    func react() {
        guard isReady, let guild = world.guilds.randomElement(using: &world.random),
            let channel = guild.channels.randomElement(using: &world.random),
            let seen = views[channel]?.applied.suffix(Self.recentEvents).randomElement(using: &world.random)
        else { return }
        let change = ReactionChange(
            channelID: channel, messageID: world.ledger.decisions[seen.decision].message, userID: userID,
            emoji: world.pick(Self.emoji), isAdded: world.chance(0.7))
        hearAnswer(to: change)
    }

    private func hearAnswer(to change: ReactionChange) {
        ask(of: change.channelID) { owner, respond in
            owner.react(change, respond)
        } _: { client, answer in
            guard case .done(_, let sequence)? = answer else { return }
            let channel = change.channelID
            let stored = client.world.messages.decision(of: sequence, in: channel)
            if stored.flatMap({ client.world.ledger.reactions[$0] }) != ReactionFold.Key(change) {
                client.violate("I3: a reaction to \(change.messageID) is acknowledged and not committed")
            }
            client.checkMayWrite(sequence, of: channel)
        }
    }
}
