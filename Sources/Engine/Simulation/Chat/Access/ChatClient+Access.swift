import FluxCore
import FluxRealtime

/// What a client does when channels come into its view or go out of it.
extension ChatClient {
    /// An event that is of no guild channel's log.
    func heardOfGuild(_ event: StreamEvent) {
        switch event.kind {
        case .channelDelete:
            guard let channel = body(of: event)?["id"]?.snowflakeValue else {
                return violate("CHANNEL_DELETE of nothing")
            }
            views[channel] = nil
        case .channelCreate:
            guard let channel = body(of: event)?["id"]?.snowflakeValue else {
                return violate("CHANNEL_CREATE of nothing")
            }
            reveal(channel)
        case .guildDelete:
            guard let id = body(of: event)?["id"]?.snowflakeValue else { return violate("GUILD_DELETE of nothing") }
            for channel in world.guilds.first(where: { $0.id == id })?.channels ?? [] { views[channel] = nil }
        case .guildCreate:
            guard case .array(let channels)? = body(of: event)?["channels"] else {
                return violate("GUILD_CREATE without channels")
            }
            for channel in channels.compactMap(\.snowflakeValue) { reveal(channel) }
        default: receivedOwn(event)
        }
    }

    private func body(of event: StreamEvent) -> JSON? { try? JSON.parse(event.body) }

    private func reveal(_ channel: ChannelID) {
        guard views[channel] == nil else { return violate("channel \(channel) is shown a second time") }
        let view = View()
        views[channel] = view
        view.waiting = []
        fetch(channel, view)
    }

    /// Takes up a channel of a session that has just been opened.
    func takeUp(_ channel: ChannelID, head: (sequence: SequenceNumber, epoch: Epoch), isFirst: Bool) {
        let view = views[channel] ?? View()
        views[channel] = view
        if isFirst {
            view.head = head
            view.base = view.head
            view.start = view.head
        } else {
            view.waiting = []
            ask(channel, view)
        }
    }

    /// Asks the channel for what the client does not have.
    func ask(_ channel: ChannelID, _ view: View) {
        if view.base == nil { fetch(channel, view) } else { catchUp(channel, view) }
    }

    /// Asks the channel after a while, unless the connection has gone by then, or the channel.
    func ask(_ channel: ChannelID, _ view: View, after wait: Duration) {
        onThisConnection(after: wait) { client in
            if client.views[channel] === view { client.ask(channel, view) }
        }
    }

    /// Asks for the newest messages of a channel of which nothing is known.
    private func fetch(_ channel: ChannelID, _ view: View) {
        let userID = userID
        ask(of: channel) { owner, respond in
            owner.newest(for: userID, respond)
        } _: { client, page in
            // It may have gone out of view meanwhile, or been asked for twice.
            guard client.views[channel] === view, view.base == nil else { return }
            if let page { return client.fetched(channel, view, page) }
            client.ask(channel, view, after: .milliseconds(500))
        }
    }

    private func fetched(_ channel: ChannelID, _ view: View, _ page: NewestPage) {
        for decision in page.versions { checkMayRead(decision, of: channel) }
        for decision in page.versions { _ = view.messages.show(world.ledger.places[decision], as: decision) }
        for (key, decision) in page.reactions { _ = view.reactions.show(key, as: decision) }
        view.base = page.base
        view.start = page.head
        view.head = page.head
        view.asked = page.head
        drain(channel, view)
    }

    /// Says so if an answer tells what was decided after somebody was told that this client may not see it any more (I7).
    func checkMayRead(_ decision: Int, of channel: ChannelID) {
        guard let taken = world.access.taken(channel, from: userID),
            world.ledger.times[decision] > taken.acknowledgedAt
        else { return }
        violate("I7: reads in channel \(channel) what was decided after it was taken")
    }

    /// Says so if a write of this client was accepted that was decided after somebody was told that they may not (I7).
    func checkMayWrite(_ sequence: SequenceNumber, of channel: ChannelID) {
        guard !world.ledger.afterTaking.isEmpty, let decision = world.messages.decision(of: sequence, in: channel),
            world.ledger.afterTaking.contains(decision)
        else { return }
        violate("I7: entry \(sequence) of channel \(channel) was accepted, decided after it was taken")
    }
}
