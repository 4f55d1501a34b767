import Distributed
import FluxCluster
import FluxCore
import FluxStore

/// What changes of others mean for the user (I11).
extension UserActor {
    /// Takes in what was waiting when the actor was made, once.
    func catchUp() async {
        guard !isCaughtUp else { return }
        await takeFromOutbox()
    }

    /// Applies what waits in the outbox, in the order of its ids. What cannot be applied now stays there until somebody
    /// looks again.
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
            let waiting = try await services.outbox.pending(for: userID, kind: StreamKey.Kind.user.rawValue)
            var memberships: [(entry: Snowflake, guildID: GuildID)] = []
            for entry in waiting {
                switch UserNotice(entry) {
                case .membership(let guildID)?: memberships.append((entry.id, guildID))
                case .conversation(let channelID)?: try await take(entry.id, begun: channelID)
                case .peer?, nil: try await take(entry)
                }
            }
            if !memberships.isEmpty { try await take(memberships) }
            isCaughtUp = true
        } catch {
            services.logger.warning("user \(userID) could not take in what waits for them: \(error)")
        }
    }

    /// Takes in what somebody else said of their relationship.
    private func take(_ entry: OutboxEntry) async throws {
        let identifiers = services.identifiers
        let users = try await services.users.users(state.unknownUsers(in: entry))
        let planning = UserPlanning(now: .now(), users: users) { () throws(APIError) in try identifiers.next() }
        try await carryOut(try state.plan(entry, planning), PendingCounters())
    }

    /// Takes in that somebody has begun a group conversation with the user.
    private func take(_ entry: Snowflake, begun channelID: ChannelID) async throws {
        guard let channel = try await services.channelReads.batch([channelID])[channelID],
            channel.recipients.contains(userID)
        else { return try await commit([.takeFromOutbox(entry)]) }
        let others = try await people(in: channel)
        try await commit([.takeFromOutbox(entry), .openDirectMessage(channelID, userID: userID)])
        show(channel, others)
    }

    /// Takes in of which guilds the user has become a member, or is one no more. The guilds' own rows say which.
    private func take(_ notices: [(entry: Snowflake, guildID: GuildID)]) async throws {
        let memberOf = Set(try await services.memberships.guildIDs(of: userID))
        try await commit(notices.map { .takeFromOutbox($0.entry) })
        var seen: Set<GuildID> = []
        for (_, guildID) in notices where seen.insert(guildID).inserted {
            if memberOf.contains(guildID) { joined(guildID) } else { left(guildID) }
        }
    }

    /// Also where the user left and joined again since: the sessions have left the guild's stream then.
    private func joined(_ guildID: GuildID) {
        if !guildIDs.contains(guildID) { guildIDs.append(guildID) }
        emit(.guildCreate, body: [], audience: .nobody, control: .guildJoined(guildID))
        if shownPresence.status != .offline { tell(shownPresence, to: guildID) }
    }

    private func left(_ guildID: GuildID) {
        guildIDs.removeAll { $0 == guildID }
        emit(.guildDelete, body: [], audience: .nobody, control: .guildLeft(guildID))
    }
}
