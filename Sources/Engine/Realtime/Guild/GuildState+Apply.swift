import FluxCore

/// Making changes that are durable, and telling of them (protocol 7.9).
extension GuildState {
    /// Applies the changes of one plan.
    /// - Returns: what the guild's stream carries next, in this order.
    package mutating func apply(_ changes: [GuildChange], at now: Timestamp) -> [GuildEvent] {
        var events: [GuildEvent] = []
        for change in changes { events += apply(change, at: now) }
        pruneClasses()
        return events
    }

    private mutating func apply(_ change: GuildChange, at now: Timestamp) -> [GuildEvent] {
        switch change {
        case .guildCreated: return []
        case .guildUpdated(let guild): return update(guild)
        case .guildDeleted:
            markDeleted()
            return [GuildEvent(.guildDelete, body: goneBody(), control: .streamEnded)]

        case .channelCreated(let channel): return create(channel)
        case .channelUpdated(let channel): return update(channel)
        case .channelDeleted(let id): return delete(channel: id)

        case .roleCreated(let role):
            setRole(role)
            return [roleEvent(.guildRoleCreate, role)]
        case .roleUpdated(let role): return update(role)
        case .rolesMoved(let positions): return move(positions)
        case .roleDeleted(let id): return delete(role: id)

        case .memberAdded(let member, let user):
            insert(member, user)
            return [memberEvent(.guildMemberAdd, of: user.id)]
        case .memberUpdated(let member): return update(member)
        case .memberRemoved(let userID): return remove(userID)
        case .userChanged(let user):
            replaceUser(user)
            return [memberEvent(.guildMemberUpdate, of: user.id)]

        case .banAdded(let ban, let user, _):
            setBan(ban)
            return [userEvent(.guildBanAdd, user)]
        case .banRemoved(let userID, let user):
            removeBan(userID)
            return [userEvent(.guildBanRemove, user)]

        case .inviteCreated(let invite):
            setInvite(invite)
            return [inviteEvent(invite, at: now)]
        case .inviteUsed(let code):
            if var invite = invites[code] {
                invite.uses += 1
                setInvite(invite)
            }
            return []
        case .inviteDeleted(let code): return delete(invite: code, at: now)
        }
    }

    // MARK: The guild

    private mutating func update(_ changed: Guild) -> [GuildEvent] {
        let owners = guild.ownerID == changed.ownerID ? [] : [guild.ownerID, changed.ownerID]
        return changingAccess(of: owners) { state in
            state.setGuild(changed)
            for owner in owners {
                state.forgetAccess(ofIndividual: owner)
                state.refreshAccess(of: owner)
            }
            return GuildEvent(.guildUpdate) { state.writeGuild(to: &$0, withCounts: false) }
        }
    }

    private func goneBody() -> [UInt8] {
        var writer = JSONWriter(capacity: 32)
        writer.beginObject()
        writer.field("id", guild.id)
        writer.endObject()
        return writer.bytes
    }

    // MARK: Channels

    private mutating func create(_ channel: Channel) -> [GuildEvent] {
        changingAccess(of: memberIDs) { state in
            state.insert(channel)
            state.refreshAccess(in: channel)
            if let index = state.slots.index(of: channel.id) { state.recomputeAccess(at: index) }
            return nil
        }
    }

    private mutating func update(_ channel: Channel) -> [GuildEvent] {
        guard let old = channels[channel.id] else { return [] }
        let touchesAccess = old.overwrites != channel.overwrites
        return changingAccess(of: touchesAccess ? memberIDs : []) { state in
            state.replace(channel)
            if touchesAccess {
                state.refreshAccess(in: old)
                state.refreshAccess(in: channel)
                if let index = state.slots.index(of: channel.id) { state.recomputeAccess(at: index) }
            }
            return state.channelEvent(channel.id)
        }
    }

    private func channelEvent(_ id: ChannelID) -> GuildEvent {
        GuildEvent(.channelUpdate, audience: .viewers(of: id)) { channels[id]?.write(to: &$0) }
    }

    private mutating func delete(channel id: ChannelID) -> [GuildEvent] {
        guard let old = channels[id] else { return [] }
        return changingAccess(of: memberIDs) { state in
            if let index = state.removeChannel(id) { state.recomputeAccess(at: index) }
            state.refreshAccess(in: old)
            return nil
        }
    }

    /// Members with an overwrite of their own in a channel may have come to be in a class of their own, or left it.
    private mutating func refreshAccess(in channel: Channel) {
        for overwrite in channel.overwrites where overwrite.kind == .member { refreshAccess(of: overwrite.id) }
    }

    // MARK: Roles

    private mutating func update(_ role: Role) -> [GuildEvent] {
        let touchesAccess = roles[role.id]?.permissions != role.permissions
        return changingAccess(of: touchesAccess ? holders(of: role.id) : []) { state in
            state.setRole(role)
            if touchesAccess { state.forgetAccess(ofRole: role.id) }
            return state.roleEvent(.guildRoleUpdate, role)
        }
    }

    private mutating func move(_ positions: [RoleID: Int]) -> [GuildEvent] {
        for (id, position) in positions { setPosition(position, of: id) }
        return positions.sorted { $0.value < $1.value }.compactMap { id, _ in
            roles[id].map { roleEvent(.guildRoleUpdate, $0) }
        }
    }

    private mutating func delete(role id: RoleID) -> [GuildEvent] {
        let holders = holders(of: id)
        return changingAccess(of: holders) { state in
            state.removeRole(id)
            for holder in holders {
                guard var member = state.members[holder]?.member else { continue }
                member.roles.removeAll { $0 == id }
                state.replace(member)
            }
            state.removeOverwrites(of: id)
            state.forgetAccess(ofRole: id)
            return GuildEvent(.guildRoleDelete) { writer in
                writer.beginObject()
                writer.field("guild_id", state.guild.id)
                writer.field("role_id", id)
                writer.endObject()
            }
        }
    }

    private func holders(of roleID: RoleID) -> [UserID] {
        roleID == guild.id ? memberIDs : memberIDs.filter { members[$0]?.member.roles.contains(roleID) ?? false }
    }

    /// Overwrites for what is gone mean nothing to anybody else: nobody's rights change by this.
    private mutating func removeOverwrites(of target: Snowflake) {
        for var channel in channels.values where channel.overwrites.contains(where: { $0.id == target }) {
            channel.overwrites.removeAll { $0.id == target }
            replace(channel)
        }
    }

    private func roleEvent(_ kind: EventKind, _ role: Role) -> GuildEvent {
        GuildEvent(kind) { writer in
            writer.beginObject()
            writer.field("guild_id", guild.id)
            writer.key("role")
            role.write(to: &writer)
            writer.endObject()
        }
    }

    // MARK: Members

    private mutating func update(_ member: Member) -> [GuildEvent] {
        changingAccess(of: [member.userID]) { state in
            state.replace(member)
            return state.memberEvent(.guildMemberUpdate, of: member.userID)
        }
    }

    /// GUILD_DELETE to the one who goes is the last they hear; the others hear of it then.
    private mutating func remove(_ userID: UserID) -> [GuildEvent] {
        guard let user = members[userID]?.user else { return [] }
        removeMember(userID)
        removeOverwrites(of: userID)
        return [
            GuildEvent(
                .guildDelete, body: goneBody(), audience: .users([userID]), subject: userID,
                control: .memberRemoved(userID)),
            userEvent(.guildMemberRemove, user),
        ]
    }

    private func memberEvent(_ kind: EventKind, of userID: UserID) -> GuildEvent {
        GuildEvent(kind, subject: kind == .guildMemberUpdate ? userID : nil) { writer in
            if let entry = members[userID] { entry.member.write(to: &writer, user: entry.user, withGuildID: true) }
        }
    }

    private func userEvent(_ kind: EventKind, _ user: User) -> GuildEvent {
        GuildEvent(kind) { writer in
            writer.beginObject()
            writer.field("guild_id", guild.id)
            writer.key("user")
            user.write(to: &writer)
            writer.endObject()
        }
    }

    // MARK: Invites

    private mutating func inviteEvent(_ invite: Invite, at now: Timestamp) -> GuildEvent {
        let inviter = invite.inviterID.flatMap { members[$0]?.user }
        let audience = Audience.users(holders(of: .manageChannels, in: invite.channelID, at: now))
        return GuildEvent(.inviteCreate, audience: audience) { writer in
            writer.beginObject()
            writer.field("channel_id", invite.channelID)
            writer.field("guild_id", invite.guildID)
            writer.field("code", invite.code)
            if let inviter {
                writer.key("inviter")
                inviter.write(to: &writer)
            }
            writer.field("uses", invite.uses)
            writer.field("max_uses", invite.maxUses)
            writer.field("max_age", invite.maxAge)
            writer.field("temporary", invite.temporary)
            writer.field("created_at", invite.createdAt)
            writer.field("expires_at", invite.expiresAt)
            writer.field("type", 0)
            writer.endObject()
        }
    }

    private mutating func delete(invite code: String, at now: Timestamp) -> [GuildEvent] {
        guard let invite = invites[code] else { return [] }
        removeInvite(code)
        let audience = Audience.users(holders(of: .manageChannels, in: invite.channelID, at: now))
        return [
            GuildEvent(.inviteDelete, audience: audience) { writer in
                writer.beginObject()
                writer.field("channel_id", invite.channelID)
                writer.field("guild_id", invite.guildID)
                writer.field("code", code)
                writer.endObject()
            }
        ]
    }
}
