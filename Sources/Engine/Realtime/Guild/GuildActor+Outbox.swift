import Distributed
import FluxCluster
import FluxCore
import FluxStore

/// What a change of the guild means for others, and what changes of others mean for it (I11).
extension GuildActor {
    /// Up to how many people a caller's answer waits for; the deletion of a large guild reaches its members later.
    static var awaitedNotices: Int { 100 }

    /// Applies what waits in the outbox. What cannot be applied now stays there until somebody looks again.
    func takeFromOutbox() async {
        if let nextLook { return await nextLook.value }
        let look = Task { await self.lookIntoOutbox() }
        nextLook = look
        await look.value
    }

    private func lookIntoOutbox() async {
        let isTurn = await turns.enter()
        nextLook = nil
        guard isTurn else { return }
        defer { turns.leave() }
        do {
            let waiting = try await services.outbox.pending(for: home.guildID, kind: StreamKey.Kind.guild.rawValue)
            for entry in waiting { try await take(entry) }
        } catch {
            services.logger.warning("guild \(home.guildID) could not take in what waits for it: \(error)")
        }
    }

    private func take(_ entry: OutboxEntry) async throws {
        switch GuildNotice(entry) {
        case .userChanged(let userID)?:
            let user = try await services.userReads.find(userID)
            try await commit([.takeFromOutbox(entry.id)])
            guard let user, let known = home.state?.members[userID]?.user, known != user else { return }
            home.apply(GuildPlan(changes: [.userChanged(user)], reply: .nothing))
        case .purge?: await carryOutPurge(entry)
        case nil:
            services.logger.error("guild \(home.guildID): outbox entry \(entry.id) says nothing that is known")
            try await commit([.takeFromOutbox(entry.id)])
        }
    }

    /// Deletes the messages of a purge, if the entry is one. It leaves the outbox when all of them are deleted.
    func carryOutPurge(_ entry: OutboxEntry) async {
        guard case .purge(let purge)? = GuildNotice(entry) else { return }
        do {
            let channels = home.state?.isDeleted == false ? home.state?.orderedChannels ?? [] : []
            for channel in channels where channel.kind.holdsMessages {
                do {
                    try await services.channel(channel.id)
                        .purge(author: purge.authorID, since: purge.since, until: purge.until)
                } catch let error as APIError where error.code == APIError.unknownChannel.code {
                    // Deleted meanwhile, with its messages.
                    continue
                }
            }
            try await commit([.takeFromOutbox(entry.id)])
        } catch {
            services.logger.warning("messages of a banned user stay for now in guild \(home.guildID): \(error)")
        }
    }
}

extension GuildPlan {
    /// The outbox entries that are written with the plan's changes.
    /// - Parameter members: the guild's members before.
    func notices(
        of guildID: GuildID, members: [UserID], at now: Timestamp, mint: () throws(APIError) -> Snowflake
    ) throws(APIError) -> [OutboxEntry] {
        var entries: [OutboxEntry] = []
        for userID in usersConcerned(among: members) {
            entries.append(UserNotice.membership(guildID).entry(id: try mint(), to: userID, at: now))
        }
        if let purge { entries.append(GuildNotice.purge(purge).entry(id: try mint(), to: guildID, at: now)) }
        return entries
    }
}
