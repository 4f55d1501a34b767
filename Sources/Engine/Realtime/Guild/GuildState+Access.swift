import FluxCore

/// Who may do what, and who may see what (protocol 4).
extension GuildState {
    /// What a member may do in the guild as a whole; nothing for those who are none.
    mutating func permissions(of userID: UserID) -> Permissions {
        guard let key = members[userID]?.access else { return [] }
        return accessClass(key).base
    }

    /// What a member may do in a channel at a moment; nothing for those who are none, and in channels that do not exist.
    mutating func permissions(of userID: UserID, in channelID: ChannelID, at now: Timestamp) -> Permissions {
        guard let place = members.index(forKey: userID), let index = slots.index(of: channelID) else { return [] }
        let access = accessClass(members.values[place].access)
        let permissions = access.permissions[index]
        guard members.values[place].member.isTimedOut(at: now), !access.base.contains(.administrator) else {
            return permissions
        }
        return permissions.intersection(.whileTimedOut)
    }

    /// The same, having checked in the order of protocol 3.5 that the channel exists and may be viewed.
    package mutating func checkedPermissions(
        of userID: UserID, in channelID: ChannelID, at now: Timestamp
    ) throws(APIError) -> Permissions {
        guard channels.index(forKey: channelID) != nil else { throw .unknownChannel }
        let permissions = permissions(of: userID, in: channelID, at: now)
        guard permissions.contains(.viewChannel) else { throw .missingAccess }
        return permissions
    }

    /// The channels that a member may view; nil for those who are none.
    package mutating func visibility(of userID: UserID) -> ChannelVisibility? {
        guard let key = members[userID]?.access else { return nil }
        return accessClass(key).visibility
    }

    /// The members with a permission in a channel, by growing id.
    mutating func holders(of permission: Permissions, in channelID: ChannelID, at now: Timestamp) -> [UserID] {
        memberIDs.filter { permissions(of: $0, in: channelID, at: now).isSuperset(of: permission) }
    }

    /// The class to which a member belongs.
    func accessKey(of member: Member) -> AccessKey {
        let isAlone = member.userID == guild.ownerID || individualOverwrites[member.userID] != nil
        return AccessKey(roles: member.roles.sorted(), individual: isAlone ? member.userID : nil)
    }
}

// MARK: - Classes

extension GuildState {
    mutating func accessClass(_ key: AccessKey) -> AccessClass {
        if let known = classes[key] { return known }
        let base = PermissionComputation.base(
            isOwner: key.individual == guild.ownerID, everyone: roles[guild.id]?.permissions ?? [],
            roles: key.roles.compactMap { roles[$0]?.permissions })
        var permissions: [Permissions] = []
        permissions.reserveCapacity(slots.count)
        var visible = ChannelSet()
        for (index, id) in slots.channels.enumerated() {
            let computed = id.flatMap { channels[$0] }.map { compute(key, base, in: $0) } ?? []
            permissions.append(computed)
            if computed.contains(.viewChannel) { visible.insert(index) }
        }
        let computed = AccessClass(
            base: base, permissions: permissions, visible: visible, visibility: shared(visible))
        classes[key] = computed
        return computed
    }

    private func compute(_ key: AccessKey, _ base: Permissions, in channel: Channel) -> Permissions {
        PermissionComputation.inChannel(
            base: base, guildID: guild.id, memberID: key.individual ?? UserID(0), hasRole: key.roles.contains,
            overwrites: channel.overwrites, isTimedOut: false)
    }

    private mutating func shared(_ set: ChannelSet) -> ChannelVisibility {
        if let known = sharedVisibility[set] { return known }
        // Sets that no class has any more are dropped as soon as they are the greater part.
        if sharedVisibility.count > 2 * classes.count + 16 {
            let used = Set(classes.values.map(\.visible))
            sharedVisibility = sharedVisibility.filter { used.contains($0.key) }
        }
        var ids: Set<ChannelID> = []
        for (index, id) in slots.channels.enumerated() where set.contains(index) {
            if let id { ids.insert(id) }
        }
        let visibility = ChannelVisibility(ids)
        sharedVisibility[set] = visibility
        return visibility
    }

    /// A channel came, changed its overwrites or went: every class looks at this one channel again.
    mutating func recomputeAccess(at index: Int) {
        let channel = slots.channels[index].flatMap { channels[$0] }
        // The number may have belonged to another channel, whose id the shared sets still hold.
        if channel == nil { sharedVisibility = [:] }
        for (key, known) in classes {
            var access = known
            while access.permissions.count <= index { access.permissions.append([]) }
            let computed = channel.map { compute(key, access.base, in: $0) } ?? []
            access.permissions[index] = computed
            let wasVisible = access.visible.contains(index)
            guard wasVisible != computed.contains(.viewChannel) || channel == nil else {
                classes[key] = access
                continue
            }
            if computed.contains(.viewChannel) { access.visible.insert(index) } else { access.visible.remove(index) }
            access.visibility = shared(access.visible)
            classes[key] = access
        }
    }

    /// A role's permissions changed, or it went: the classes with it are computed again when they are next asked for.
    mutating func forgetAccess(ofRole roleID: RoleID) {
        if roleID == guild.id {
            classes = [:]
        } else {
            classes = classes.filter { !$0.key.roles.contains(roleID) }
        }
    }

    /// The owner changed.
    mutating func forgetAccess(ofIndividual userID: UserID) {
        classes = classes.filter { $0.key.individual != userID }
    }

    /// Classes that no member is in any more are dropped as soon as they are the greater part.
    mutating func pruneClasses() {
        guard classes.count > 2 * members.count + 16 else { return }
        let used = Set(members.values.lazy.map(\.access))
        classes = classes.filter { used.contains($0.key) }
    }
}
