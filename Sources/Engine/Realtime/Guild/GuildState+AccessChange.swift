import FluxCore

/// What a change does to what members see (I7, protocol 7.9).
extension GuildState {
    /// Makes a change that may alter what some members see.
    ///
    /// What goes out of view goes before the event of the change, so that nobody learns of a channel that was just taken;
    /// what comes into view comes after it. Members who see as before get the event alone.
    mutating func changingAccess(
        of affected: [UserID], _ change: (inout GuildState) -> GuildEvent?
    ) -> [GuildEvent] {
        let before = affected.map { ($0, visibility(of: $0)) }
        let former = channels
        let event = change(&self)
        var differences = AccessDifferences(former: former)
        var hides: [AccessChange] = []
        var reveals: [AccessChange] = []
        for (userID, old) in before {
            guard let old, let new = visibility(of: userID), old !== new, old != new else { continue }
            let difference = differences.between(old, new, current: channels)
            if !difference.hidden.isEmpty {
                hides.append(
                    AccessChange(
                        userID: userID, visibility: difference.common, revealed: [], hidden: difference.hidden))
            }
            if !difference.revealed.isEmpty {
                reveals.append(
                    AccessChange(userID: userID, visibility: new, revealed: difference.revealed, hidden: []))
            }
        }
        return (hides.isEmpty ? [] : [.access(hides)]) + (event.map { [$0] } ?? [])
            + (reveals.isEmpty ? [] : [.access(reveals)])
    }
}

/// Works out each pair of views once, and encodes each channel once, however many members see it come or go.
private struct AccessDifferences {
    struct Difference {
        /// What is seen before and after: the new view itself where nothing comes.
        var common: ChannelVisibility
        var hidden: [StreamEvent]
        var revealed: [StreamEvent]
    }

    private struct Pair: Hashable {
        let old: ObjectIdentifier
        let new: ObjectIdentifier
    }

    private let former: [ChannelID: Channel]
    private var known: [Pair: Difference] = [:]
    private var hidden: [ChannelID: StreamEvent] = [:]
    private var revealed: [ChannelID: StreamEvent] = [:]

    init(former: [ChannelID: Channel]) { self.former = former }

    mutating func between(
        _ old: ChannelVisibility, _ new: ChannelVisibility, current: [ChannelID: Channel]
    ) -> Difference {
        // Both objects are held by the caller for as long as it asks, so that an identity means one object.
        let pair = Pair(old: ObjectIdentifier(old), new: ObjectIdentifier(new))
        if let difference = known[pair] { return difference }
        let gone = ordered(old.channels.subtracting(new.channels), in: former)
        let come = ordered(new.channels.subtracting(old.channels), in: current)
        let difference = Difference(
            common: come.isEmpty ? new : ChannelVisibility(old.channels.intersection(new.channels)),
            hidden: gone.map { event(.channelDelete, $0, &hidden) },
            revealed: come.map { event(.channelCreate, $0, &revealed) })
        known[pair] = difference
        return difference
    }

    private func ordered(_ ids: Set<ChannelID>, in channels: [ChannelID: Channel]) -> [Channel] {
        ids.compactMap { channels[$0] }.sorted { ($0.position, $0.id) < ($1.position, $1.id) }
    }

    private func event(
        _ kind: EventKind, _ channel: Channel, _ known: inout [ChannelID: StreamEvent]
    ) -> StreamEvent {
        if let event = known[channel.id] { return event }
        var writer = JSONWriter()
        channel.write(to: &writer)
        let event = StreamEvent(kind: kind, body: writer.bytes, intents: kind.guildIntent ?? [])
        known[channel.id] = event
        return event
    }
}
