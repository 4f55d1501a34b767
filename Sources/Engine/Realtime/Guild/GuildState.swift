import FluxCore
import FluxStore

/// One guild: everything its actor decides from. A value without I/O, clock or randomness (design 4, 9).
///
/// `plan` checks a command in the order of protocol 3.5 and says what would change; `apply` changes it and gives the events
/// in the order in which the guild's stream carries them. Rights are kept computed for each class of members with equal
/// roles and are brought up to date by exactly the changes that touch them.
///
/// Invariants: one owner, who is a member; every member's roles exist; role positions are 0 (`@everyone`), 1, 2 … without
/// gaps; nobody's visibility holds a channel that the computation of protocol 4 denies.
package struct GuildState {
    private(set) var guild: Guild
    private(set) var isDeleted = false
    private(set) var roles: [RoleID: Role] = [:]
    private(set) var channels: [ChannelID: Channel] = [:]
    private(set) var members: [UserID: MemberEntry] = [:]
    /// The members' ids in growing order.
    private(set) var memberIDs: [UserID] = []
    private(set) var invites: [String: Invite] = [:]
    private(set) var bans: [UserID: Ban] = [:]
    /// Of members who are not offline.
    private(set) var presences: [UserID: Presence] = [:]

    /// Numbers of the channels in sets and tables.
    var slots = ChannelSlots()
    /// Rights by class, computed when first asked for.
    var classes: [AccessKey: AccessClass] = [:]
    /// Sets of channels that classes share.
    var sharedVisibility: [ChannelSet: ChannelVisibility] = [:]
    /// In how many channels a user has an overwrite of their own.
    var individualOverwrites: [UserID: Int] = [:]
    /// Parts of GUILD_CREATE that are encoded already.
    var bodies = GuildBodyCache()

    /// The guild as it was loaded.
    package init(_ loaded: LoadedGuild, invites: [Invite], bans: [Ban]) {
        guild = loaded.guild
        for role in loaded.roles { roles[role.id] = role }
        for channel in loaded.channels { insert(channel) }
        for entry in loaded.members {
            // A role whose deletion is committed may still stand in a member that was read just before.
            var member = entry.member
            member.roles.removeAll { roles[$0] == nil }
            insert(member, entry.user)
        }
        for invite in invites { self.invites[invite.code] = invite }
        for ban in bans { self.bans[ban.userID] = ban }
    }

    /// The guild that a founding makes.
    init(_ founding: GuildFounding) {
        guild = founding.guild
        roles[founding.everyone.id] = founding.everyone
        for channel in founding.channels { insert(channel) }
        insert(founding.owner, founding.user)
    }

    var id: GuildID { guild.id }

    /// Where the channels' logs stand; of those that have one.
    package var heads: [ChannelHead] {
        channels.values.filter { $0.lastSeq > 0 }.map { channel in
            ChannelHead(channelID: channel.id, sequence: channel.lastSeq, epoch: channel.epoch)
        }
    }

    /// The roles by position, `@everyone` first; of roles that share one the newer first.
    var orderedRoles: [Role] {
        roles.values.sorted { ($0.position, $1.id) < ($1.position, $0.id) }
    }

    /// The channels by position, older first.
    var orderedChannels: [Channel] {
        channels.values.sorted { ($0.position, $0.id) < ($1.position, $1.id) }
    }

    var hierarchy: RoleHierarchy { RoleHierarchy(guildID: guild.id, ownerID: guild.ownerID) }

    func isMember(_ userID: UserID) -> Bool { members[userID] != nil }

    /// The member's place in the hierarchy.
    func place(of member: Member) -> HierarchyPlace {
        hierarchy.place(of: member.userID, roles: member.roles.lazy.compactMap { roles[$0] })
    }
}

// MARK: - What changes are made of

extension GuildState {
    mutating func setGuild(_ guild: Guild) {
        self.guild = guild
        bodies.forgetGuild()
    }

    mutating func markDeleted() { isDeleted = true }

    mutating func setRole(_ role: Role) {
        roles[role.id] = role
        bodies.forgetGuild()
    }

    mutating func setPosition(_ position: Int, of roleID: RoleID) {
        roles[roleID]?.position = position
        bodies.forgetGuild()
    }

    mutating func removeRole(_ id: RoleID) {
        roles[id] = nil
        bodies.forgetGuild()
    }

    /// A channel comes; its members' overwrites are counted.
    mutating func insert(_ channel: Channel) {
        channels[channel.id] = channel
        _ = slots.insert(channel.id)
        countOverwrites(of: channel, by: 1)
        bodies.forgetChannelOrder()
    }

    /// A channel takes its new state; its log's head is kept.
    mutating func replace(_ channel: Channel) {
        guard let old = channels[channel.id] else { return }
        countOverwrites(of: old, by: -1)
        var new = channel
        new.lastMessageID = old.lastMessageID
        new.lastPinAt = old.lastPinAt
        new.lastSeq = old.lastSeq
        new.epoch = old.epoch
        channels[channel.id] = new
        countOverwrites(of: new, by: 1)
        bodies.forgetChannel(channel.id)
        if old.position != new.position { bodies.forgetChannelOrder() }
    }

    mutating func removeChannel(_ id: ChannelID) -> Int? {
        guard let old = channels.removeValue(forKey: id) else { return nil }
        countOverwrites(of: old, by: -1)
        bodies.forgetChannel(id)
        bodies.forgetChannelOrder()
        return slots.remove(id)
    }

    /// Changes a channel in place where rights are not touched.
    mutating func withChannel(_ id: ChannelID, _ change: (inout Channel) -> Void) {
        guard var channel = channels[id] else { return }
        change(&channel)
        channels[id] = channel
        bodies.forgetChannel(id)
    }

    mutating func insert(_ member: Member, _ user: User) {
        if members[member.userID] == nil { memberIDs.insert(member.userID, at: memberIDs.place(for: member.userID)) }
        members[member.userID] = MemberEntry(member: member, user: user, access: accessKey(of: member))
    }

    mutating func replace(_ member: Member) {
        let access = accessKey(of: member)
        members[member.userID]?.member = member
        members[member.userID]?.access = access
    }

    mutating func replaceUser(_ user: User) { members[user.id]?.user = user }

    mutating func refreshAccess(of userID: UserID) {
        guard let member = members[userID]?.member else { return }
        let access = accessKey(of: member)
        members[userID]?.access = access
    }

    mutating func removeMember(_ userID: UserID) {
        guard members.removeValue(forKey: userID) != nil else { return }
        let place = memberIDs.place(for: userID)
        if place < memberIDs.count, memberIDs[place] == userID { memberIDs.remove(at: place) }
        presences[userID] = nil
    }

    /// The member object with its user, encoded; nil for those who are none.
    mutating func fullBody(of userID: UserID) -> [UInt8]? { members[userID]?.fullBody() }

    /// The member object without its user, encoded; nil for those who are none.
    mutating func plainBody(of userID: UserID) -> [UInt8]? { members[userID]?.plainBody() }

    /// A channel's log went on.
    package mutating func advance(
        _ id: ChannelID, lastMessageID: MessageID?, lastSequence: SequenceNumber, epoch: Epoch
    ) {
        guard let index = channels.index(forKey: id) else { return }
        channels.values[index].lastMessageID = lastMessageID
        channels.values[index].lastSeq = lastSequence
        channels.values[index].epoch = epoch
        bodies.forgetChannel(id)
    }

    mutating func setInvite(_ invite: Invite) { invites[invite.code] = invite }
    mutating func removeInvite(_ code: String) { invites[code] = nil }
    mutating func setBan(_ ban: Ban) { bans[ban.userID] = ban }
    mutating func removeBan(_ userID: UserID) { bans[userID] = nil }

    mutating func setPresence(_ presence: Presence) {
        presences[presence.userID] = presence.status.shown == .offline ? nil : presence
    }

    private mutating func countOverwrites(of channel: Channel, by step: Int) {
        for overwrite in channel.overwrites where overwrite.kind == .member {
            let count = (individualOverwrites[overwrite.id] ?? 0) + step
            individualOverwrites[overwrite.id] = count == 0 ? nil : count
        }
    }
}

extension [UserID] {
    /// Where an id stands, or would stand, in growing order.
    func place(for id: UserID) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
