import FluxCore

/// Keeping people out.
extension GuildState {
    func banPage(before: UserID?, after: UserID?, limit: Int) -> [Ban] {
        let inRange = bans.values.filter { ban in
            (before.map { ban.userID < $0 } ?? true) && (after.map { ban.userID > $0 } ?? true)
        }
        let ordered = inRange.sorted { $0.userID < $1.userID }
        // Before a cursor the nearest ones are wanted, still by growing id.
        return before != nil && after == nil ? Array(ordered.suffix(limit)) : Array(ordered.prefix(limit))
    }

    func listBans(
        before: UserID?, after: UserID?, limit: Int, _ request: GuildRequest, _ actor: GuildActing
    ) throws(APIError) -> GuildPlan {
        try actor.require(.banMembers)
        let page = banPage(before: before, after: after, limit: limit)
        return GuildPlan(
            reply: .ok { writer in
                writer.beginArray()
                for ban in page {
                    if let user = request.planning.users[ban.userID] { ban.write(to: &writer, user: user) }
                }
                writer.endArray()
            })
    }

    func showBan(_ userID: UserID, _ request: GuildRequest, _ actor: GuildActing) throws(APIError) -> GuildPlan {
        try actor.require(.banMembers)
        guard let ban = bans[userID], let user = request.planning.users[userID] else { throw .unknownBan }
        return GuildPlan(reply: .ok { ban.write(to: &$0, user: user) })
    }

    func ban(_ userID: UserID, _ request: GuildRequest, _ actor: GuildActing) throws(APIError) -> GuildPlan {
        try actor.require(.banMembers)
        let target = members[userID]
        guard let user = target?.user ?? request.planning.users[userID] else { throw .unknownUser }
        if let target {
            guard hierarchy.mayAct(on: place(of: target.member), from: actor.place) else { throw .missingPermissions }
        }
        var reader = request.reader
        let seconds = reader.integer("delete_message_seconds", in: GuildLimits.purge).value
        let days = reader.integer("delete_message_days", in: 0...7).value
        try reader.finish()
        guard bans[userID] == nil else { return GuildPlan(reply: .nothing) }
        guard bans.count < GuildLimits.bans else {
            throw APIError(status: 400, code: 30035, message: "Maximum number of bans reached (\(GuildLimits.bans))")
        }
        let ban = Ban(guildID: guild.id, userID: userID, reason: request.reason, createdAt: request.now)
        let purge = seconds ?? days.map { $0 * 86_400 } ?? 0
        return GuildPlan(
            changes: [.banAdded(ban, user: user, by: actor.userID)] + (target == nil ? [] : departure(of: userID)),
            reply: .nothing,
            purge: purge > 0
                ? MessagePurge(
                    authorID: userID, since: request.now.adding(seconds: -Int64(purge)), until: request.now) : nil)
    }

    func unban(_ userID: UserID, _ request: GuildRequest, _ actor: GuildActing) throws(APIError) -> GuildPlan {
        try actor.require(.banMembers)
        guard bans[userID] != nil, let user = request.planning.users[userID] else { throw .unknownBan }
        return GuildPlan(changes: [.banRemoved(userID, user: user)], reply: .nothing)
    }
}
