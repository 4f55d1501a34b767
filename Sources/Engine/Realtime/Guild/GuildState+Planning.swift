import FluxCore

extension GuildState {
    /// The users whose accounts must be at hand before the command is planned.
    func unknownUsers(in command: GuildCommand) -> [UserID] {
        switch command.operation {
        case .create:
            return [command.caller.userID]
        case .acceptInvite(let code):
            let inviter = invites[code]?.inviterID
            return [command.caller.userID, inviter].compactMap { $0 }.filter { members[$0] == nil }
        case .invite(let code, _), .deleteInvite(let code):
            return [invites[code]?.inviterID].compactMap { $0 }.filter { members[$0] == nil }
        case .listInvites:
            return Set(invites.values.compactMap(\.inviterID)).filter { members[$0] == nil }
        case .addBot(let userID, _), .ban(let userID), .unban(let userID), .getBan(let userID):
            return members[userID] == nil ? [userID] : []
        case .listBans(let before, let after, let limit):
            return banPage(before: before, after: after, limit: limit).map(\.userID)
        default:
            return []
        }
    }

    /// Decides a command: what changes, and what its caller is answered. Changes nothing but caches.
    package mutating func plan(_ command: GuildCommand, _ planning: GuildPlanning) throws(APIError) -> GuildPlan {
        guard !isDeleted else { throw .unknownGuild }
        let request = GuildRequest(command, planning)
        switch command.operation {
        case .create: throw .missingAccess
        case .invite(let code, let withCounts): return try showInvite(code, withCounts: withCounts, request)
        case .acceptInvite(let code): return try acceptInvite(code, request)
        default: break
        }
        let actor = try actor(of: request)
        switch command.operation {
        case .create, .invite, .acceptInvite: throw .missingAccess
        case .get(let withCounts): return showGuild(withCounts: withCounts)
        case .summary(let withCounts): return summary(for: actor, withCounts: withCounts)
        case .update: return try updateGuild(request, actor)
        case .delete: return try deleteGuild(actor)
        case .leave: return try leave(actor)

        case .listChannels: return listChannels(for: actor)
        case .channel(let id): return try showChannel(id, request, actor)
        case .createChannel: return try createChannel(request, actor)
        case .reorderChannels: return try reorderChannels(request, actor)
        case .updateChannel(let id): return try updateChannel(id, request, actor)
        case .deleteChannel(let id): return try deleteChannel(id, request, actor)
        case .setOverwrite(let id, let target): return try setOverwrite(of: target, in: id, request, actor)
        case .deleteOverwrite(let id, let target): return try deleteOverwrite(of: target, in: id, request, actor)

        case .member(let userID): return try showMember(userID)
        case .listMembers(let after, let limit): return listMembers(after: after, limit: limit)
        case .searchMembers(let query, let limit): return listMembers(matching: query, limit: limit)
        case .updateMember(let userID): return try updateMember(userID, request, actor)
        case .updateOwnMember: return try updateOwnMember(request, actor)
        case .addRole(let userID, let roleID): return try changeRole(roleID, of: userID, to: true, actor)
        case .removeRole(let userID, let roleID): return try changeRole(roleID, of: userID, to: false, actor)
        case .kick(let userID): return try kick(userID, actor)

        case .listBans(let before, let after, let limit):
            return try listBans(before: before, after: after, limit: limit, request, actor)
        case .getBan(let userID): return try showBan(userID, request, actor)
        case .ban(let userID): return try ban(userID, request, actor)
        case .unban(let userID): return try unban(userID, request, actor)

        case .listRoles: return listRoles()
        case .createRole: return try createRole(request, actor)
        case .updateRole(let id): return try updateRole(id, request, actor)
        case .reorderRoles: return try reorderRoles(request, actor)
        case .deleteRole(let id): return try deleteRole(id, actor)

        case .createInvite(let channelID, let code): return try createInvite(code, to: channelID, request, actor)
        case .deleteInvite(let code): return try deleteInvite(code, request, actor)
        case .listInvites(let channelID): return try listInvites(of: channelID, request, actor)

        case .addBot(let userID, let permissions):
            return try addBot(userID, permissions: permissions, request, actor)
        }
    }

    /// The caller as a member.
    private mutating func actor(of request: GuildRequest) throws(APIError) -> GuildActing {
        guard let entry = members[request.callerID] else { throw .missingAccess }
        return GuildActing(
            member: entry.member, place: place(of: entry.member), base: permissions(of: request.callerID),
            isTimedOut: entry.member.isTimedOut(at: request.now))
    }
}
