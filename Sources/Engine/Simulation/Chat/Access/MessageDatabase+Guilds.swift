import FluxCore
import FluxStore

/// A guild as its owner loads it.
struct StoredGuild {
    let guild: LoadedGuild
    let invites: [Invite]
}

extension MessageDatabase {
    /// What `GuildActor.activate` reads; nil where there is no such guild.
    func loadGuild(_ id: GuildID) -> StoredGuild? {
        guilds[id].map { rows in
            StoredGuild(
                guild: rows.loaded(users: guilds.users) { log(of: $0).head }, invites: [rows.invite])
        }
    }

    /// Which decision a committed entry comes from; nil for a void, and where there is none.
    func decision(of sequence: SequenceNumber, in channel: ChannelID) -> Int? {
        guard let entries = logs[channel]?.entries, sequence >= 1, sequence <= Int64(entries.count) else { return nil }
        return entries[Int(sequence) - 1].decision
    }

    /// The newest messages of a channel, as `ChannelActor` reads them for a page of history.
    func newest(of channel: ChannelID) -> NewestPage {
        let log = log(of: channel)
        let page = log.order.suffix(NewestPage.limit)
        let isWhole = page.count == log.order.count
        let first = isWhole ? 0 : (page.first.flatMap { log.rows[$0]?.message.seq } ?? 1) - 1
        let standing = page.filter { log.rows[$0]?.isDeleted == false }
        return NewestPage(
            head: log.head, base: (first, epoch(of: first, in: channel)),
            versions: standing.compactMap { log.rows[$0]?.version },
            reactions: standing.flatMap { log.reactions[$0] ?? [:] }.map { (key: $0.key, decision: $0.value) })
    }
}
