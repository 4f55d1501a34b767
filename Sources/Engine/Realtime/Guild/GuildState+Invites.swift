import FluxCore

/// The ways in: making, showing, taking and withdrawing invites, and adding bots.
extension GuildState {
    mutating func createInvite(
        _ code: String, to channelID: ChannelID, _ request: GuildRequest, _ actor: GuildActing
    ) throws(APIError) -> GuildPlan {
        let held = try checkedPermissions(of: actor.userID, in: channelID, at: request.now)
        guard held.contains(.createInstantInvite) else { throw .missingPermissions }
        var reader = request.reader
        let invite = Invite(
            code: code, guildID: guild.id, channelID: channelID, inviterID: actor.userID,
            maxUses: reader.integer("max_uses", in: GuildLimits.inviteUses).value ?? 0,
            maxAge: reader.integer("max_age", in: GuildLimits.inviteAge).value ?? 86_400,
            temporary: reader.bool("temporary").value ?? false, createdAt: request.now)
        let isUnique = reader.bool("unique").value ?? false
        try reader.finish()
        if !isUnique, let same = reusable(like: invite, at: request.now) {
            return GuildPlan(reply: .ok { write(same, to: &$0, request, counts: true) })
        }
        // Those that let nobody in any more make room.
        var changes: [GuildChange] = spentInvites(at: request.now).map { .inviteDeleted(code: $0) }
        guard invites.count - changes.count < GuildLimits.invites else {
            throw APIError(
                status: 400, code: 30016, message: "Maximum number of invites reached (\(GuildLimits.invites))")
        }
        changes.append(.inviteCreated(invite))
        return GuildPlan(changes: changes, reply: .ok { write(invite, to: &$0, request, counts: true) })
    }

    /// The codes of invites that let nobody in any more, in order.
    func spentInvites(at now: Timestamp) -> [String] {
        invites.values.filter { $0.isSpent(at: now) }.map(\.code).sorted()
    }

    func showInvite(_ code: String, withCounts: Bool, _ request: GuildRequest) throws(APIError) -> GuildPlan {
        let invite = try standingInvite(code, at: request.now)
        return GuildPlan(
            reply: .ok { write(invite, to: &$0, request, counts: false, approximates: withCounts) })
    }

    func acceptInvite(_ code: String, _ request: GuildRequest) throws(APIError) -> GuildPlan {
        let invite = try standingInvite(code, at: request.now)
        guard !request.command.caller.isBot else { throw .onlyPeople }
        guard bans[request.callerID] == nil else { throw .bannedFromGuild }
        if isMember(request.callerID) {
            return GuildPlan(reply: .ok { write(invite, to: &$0, request, counts: false) })
        }
        guard let user = request.planning.users[request.callerID] else { throw .unauthorized }
        guard members.count < Guild.maximumMembers else {
            throw APIError(status: 400, code: 30031, message: "Maximum number of members reached")
        }
        let member = Member(userID: user.id, guildID: guild.id, joinedAt: request.now)
        var changes: [GuildChange] = [.memberAdded(member, user), .inviteUsed(code: code)]
        if invite.maxUses > 0, invite.uses + 1 >= invite.maxUses { changes.append(.inviteDeleted(code: code)) }
        return GuildPlan(changes: changes, reply: .ok { write(invite, to: &$0, request, counts: false) })
    }

    mutating func deleteInvite(
        _ code: String, _ request: GuildRequest, _ actor: GuildActing
    ) throws(APIError) -> GuildPlan {
        let invite = try standingInvite(code, at: request.now)
        let held = permissions(of: actor.userID, in: invite.channelID, at: request.now)
        guard held.contains(.manageChannels) || actor.permissions.contains(.manageGuild) else {
            throw .missingPermissions
        }
        return GuildPlan(
            changes: [.inviteDeleted(code: code)], reply: .ok { write(invite, to: &$0, request, counts: false) })
    }

    mutating func listInvites(
        of channelID: ChannelID?, _ request: GuildRequest, _ actor: GuildActing
    ) throws(APIError) -> GuildPlan {
        var mayList = actor.permissions.contains(.manageGuild)
        if let channelID {
            let held = try checkedPermissions(of: actor.userID, in: channelID, at: request.now)
            mayList = mayList || held.contains(.manageChannels)
        }
        guard mayList else { throw .missingPermissions }
        let listed = invites.values
            .filter { !$0.isSpent(at: request.now) && (channelID == nil || $0.channelID == channelID) }
            .sorted { ($0.createdAt, $0.code) < ($1.createdAt, $1.code) }
        return GuildPlan(
            reply: .ok { writer in
                writer.beginArray()
                for invite in listed { write(invite, to: &writer, request, counts: true) }
                writer.endArray()
            })
    }

    func addBot(
        _ botID: UserID, permissions: Permissions, _ request: GuildRequest, _ actor: GuildActing
    ) throws(APIError) -> GuildPlan {
        guard !request.command.caller.isBot else { throw .onlyPeople }
        try actor.require(.manageGuild)
        let reply = CommandReply.ok { writer in
            writer.beginObject()
            writer.endObject()
        }
        if isMember(botID) { return GuildPlan(reply: reply) }
        guard let bot = request.planning.users[botID], bot.isBot else { throw .unknownApplication }
        guard bans[botID] == nil else { throw .bannedFromGuild }
        let granted = permissions.intersection(.all)
        guard hierarchy.mayGrant(granted, holding: actor.permissions, from: actor.place) else {
            throw .missingPermissions
        }
        var member = Member(userID: botID, guildID: guild.id, joinedAt: request.now)
        var changes: [GuildChange] = []
        if !granted.isEmpty {
            if roles.count >= GuildLimits.roles { throw .tooManyRoles }
            let role = Role(
                id: try request.mint(), guildID: guild.id, name: bot.username, permissions: granted, position: 1,
                managed: true, botID: botID)
            changes += insertion(of: role)
            member.roles = [role.id]
        }
        changes.append(.memberAdded(member, bot))
        return GuildPlan(changes: changes, reply: reply)
    }

    private func standingInvite(_ code: String, at now: Timestamp) throws(APIError) -> Invite {
        guard let invite = invites[code], !invite.isSpent(at: now) else { throw .unknownInvite }
        return invite
    }

    private func reusable(like wanted: Invite, at now: Timestamp) -> Invite? {
        invites.values.filter { known in
            known.channelID == wanted.channelID && known.inviterID == wanted.inviterID
                && known.maxAge == wanted.maxAge && known.maxUses == wanted.maxUses
                && known.temporary == wanted.temporary && !known.isSpent(at: now)
        }.min { ($0.createdAt, $0.code) < ($1.createdAt, $1.code) }
    }

    private func write(
        _ invite: Invite, to writer: inout JSONWriter, _ request: GuildRequest, counts: Bool,
        approximates: Bool = false
    ) {
        let channel = channels[invite.channelID] ?? Channel(id: invite.channelID, kind: .text)
        let inviter = invite.inviterID.flatMap { members[$0]?.user ?? request.planning.users[$0] }
        invite.write(
            to: &writer, channel: channel, guild: guild, inviter: inviter, withCounts: counts,
            memberCount: approximates ? members.count : nil, presenceCount: approximates ? presences.count : nil)
    }
}
