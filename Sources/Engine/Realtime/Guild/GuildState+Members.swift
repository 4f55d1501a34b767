import FluxCore

/// Showing, changing and removing members.
extension GuildState {
    func showMember(_ userID: UserID) throws(APIError) -> GuildPlan {
        guard let entry = members[userID] else { throw .unknownMember }
        return GuildPlan(reply: .ok { entry.member.write(to: &$0, user: entry.user) })
    }

    mutating func listMembers(after: UserID?, limit: Int) -> GuildPlan {
        let start = after.map { memberIDs.place(for: Snowflake($0.rawValue + 1)) } ?? 0
        return listed(Array(memberIDs[start...].prefix(max(0, limit))))
    }

    mutating func listMembers(matching query: String, limit: Int) -> GuildPlan {
        listed(search(query, limit: limit))
    }

    private mutating func listed(_ ids: [UserID]) -> GuildPlan {
        var writer = JSONWriter(capacity: ids.count * 512 + 2)
        writer.beginArray()
        for id in ids {
            if let body = fullBody(of: id) { writer.raw(body) }
        }
        writer.endArray()
        return GuildPlan(reply: CommandReply(status: 200, body: writer.bytes))
    }

    mutating func updateMember(
        _ userID: UserID, _ request: GuildRequest, _ actor: GuildActing
    ) throws(APIError) -> GuildPlan {
        guard let target = members[userID] else { throw .unknownMember }
        try checkMayUpdate(target.member, request, actor)
        var reader = request.reader
        var member = target.member
        reader.string("nick", length: GuildLimits.nick).apply(to: &member.nick)
        member.nick = member.nick?.trimmed
        if member.nick?.isEmpty == true { member.nick = nil }
        reader.bool("mute").apply(to: &member.mute, default: false)
        reader.bool("deaf").apply(to: &member.deaf, default: false)
        switch reader.snowflakes("roles", count: 0...GuildLimits.roles) {
        case .absent: break
        case .null: member.roles = []
        case .value(let wanted):
            for (index, id) in wanted.enumerated() where roles[id] == nil || id == guild.id {
                reader.errors.add(
                    ["roles", String(index)], code: "ROLE_INVALID", message: "No such role of the guild.")
            }
            member.roles = wanted
        }
        switch reader.timestamp("communication_disabled_until") {
        case .absent: break
        case .null: member.timedOutUntil = nil
        case .value(let end):
            if end > request.now.adding(seconds: GuildLimits.timeOut + 60) {
                reader.refuse(
                    "communication_disabled_until", code: "TIMEOUT_TOO_LONG",
                    message: "A time-out lasts 28 days at most.")
            }
            member.timedOutUntil = end > request.now ? end : nil
        }
        if reader.snowflake("channel_id").value != nil {
            reader.refuse("channel_id", code: "NOT_CONNECTED", message: "The member is not connected to voice.")
        }
        try reader.finish()
        if Set(member.roles) == Set(target.member.roles) { member.roles = target.member.roles }
        for id in Set(member.roles).symmetricDifference(target.member.roles) { try checkMayHandOut(id, actor) }
        return update(target, to: member)
    }

    /// Which rights a body asks for (protocol 4), before its values are looked at.
    private func checkMayUpdate(
        _ target: Member, _ request: GuildRequest, _ actor: GuildActing
    ) throws(APIError) {
        let fields = request.reader
        let isSelf = target.userID == actor.userID
        let mayAct = hierarchy.mayAct(on: place(of: target), from: actor.place)
        if fields.has("nick") {
            if isSelf {
                guard !actor.permissions.isDisjoint(with: [.changeNickname, .manageNicknames]) else {
                    throw .missingPermissions
                }
            } else {
                try actor.require(.manageNicknames)
                guard mayAct else { throw .missingPermissions }
            }
        }
        if fields.has("roles") { try actor.require(.manageRoles) }
        if fields.has("mute") { try actor.require(.muteMembers) }
        if fields.has("deaf") { try actor.require(.deafenMembers) }
        if fields.has("channel_id") { try actor.require(.moveMembers) }
        if fields.has("communication_disabled_until") {
            try actor.require(.moderateMembers)
            guard mayAct else { throw .missingPermissions }
        }
    }

    func updateOwnMember(_ request: GuildRequest, _ actor: GuildActing) throws(APIError) -> GuildPlan {
        guard let target = members[actor.userID] else { throw .missingAccess }
        if request.reader.has("nick") {
            guard !actor.permissions.isDisjoint(with: [.changeNickname, .manageNicknames]) else {
                throw .missingPermissions
            }
        }
        var reader = request.reader
        var member = target.member
        reader.string("nick", length: GuildLimits.nick).apply(to: &member.nick)
        member.nick = member.nick?.trimmed
        if member.nick?.isEmpty == true { member.nick = nil }
        reader.imageHash("avatar").apply(to: &member.avatar)
        try reader.finish()
        return update(target, to: member)
    }

    func changeRole(
        _ roleID: RoleID, of userID: UserID, to isHeld: Bool, _ actor: GuildActing
    ) throws(APIError) -> GuildPlan {
        try actor.require(.manageRoles)
        guard let target = members[userID] else { throw .unknownMember }
        guard roles[roleID] != nil, roleID != guild.id else { throw .unknownRole }
        try checkMayHandOut(roleID, actor)
        var member = target.member
        member.roles.removeAll { $0 == roleID }
        if isHeld {
            guard !target.member.roles.contains(roleID) else { return GuildPlan(reply: .nothing) }
            member.roles.append(roleID)
        }
        guard member != target.member else { return GuildPlan(reply: .nothing) }
        return GuildPlan(changes: [.memberUpdated(member)], reply: .nothing)
    }

    /// Roles above oneself are nobody's to give or take, and those of bots go with their bots alone.
    private func checkMayHandOut(_ roleID: RoleID, _ actor: GuildActing) throws(APIError) {
        guard let role = roles[roleID], !role.managed, hierarchy.mayManage(role, from: actor.place) else {
            throw .missingPermissions
        }
    }

    func kick(_ userID: UserID, _ actor: GuildActing) throws(APIError) -> GuildPlan {
        try actor.require(.kickMembers)
        guard let target = members[userID] else { throw .unknownMember }
        guard hierarchy.mayAct(on: place(of: target.member), from: actor.place) else { throw .missingPermissions }
        return GuildPlan(changes: departure(of: userID), reply: .nothing)
    }

    /// What goes with a member: a bot's managed role.
    func departure(of userID: UserID) -> [GuildChange] {
        var changes: [GuildChange] = [.memberRemoved(userID)]
        let managed = roles.values.filter { $0.botID == userID }.map(\.id).sorted()
        changes += deletions(of: managed)
        return changes
    }

    private func update(_ target: MemberEntry, to member: Member) -> GuildPlan {
        GuildPlan(
            changes: member == target.member ? [] : [.memberUpdated(member)],
            reply: .ok { member.write(to: &$0, user: target.user) })
    }
}

// MARK: - Searching

extension GuildState {
    /// The members whose nick, global name or username begins so, whatever the case, by growing id. An empty query
    /// finds everybody. Looks at each member once.
    func search(_ query: String, limit: Int) -> [UserID] {
        guard limit > 0 else { return [] }
        if query.isEmpty { return Array(memberIDs.prefix(limit)) }
        let wanted = query.lowercased()
        var found: [UserID] = []
        for id in memberIDs {
            guard let entry = members[id] else { continue }
            let names = [entry.member.nick, entry.user.globalName, entry.user.username]
            guard names.contains(where: { $0?.lowercased().hasPrefix(wanted) ?? false }) else { continue }
            found.append(id)
            if found.count == limit { break }
        }
        return found
    }
}
