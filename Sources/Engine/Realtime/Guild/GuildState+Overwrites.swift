import FluxCore

/// What channels give to and take from roles and members.
extension GuildState {
    mutating func setOverwrite(
        of target: Snowflake, in id: ChannelID, _ request: GuildRequest, _ actor: GuildActing
    ) throws(APIError) -> GuildPlan {
        let held = try checkedPermissions(of: actor.userID, in: id, at: request.now)
        guard held.contains(.manageRoles), var channel = channels[id] else { throw .missingPermissions }
        var reader = request.reader
        let kind = reader.overwriteKind ?? (roles[target] != nil ? .role : .member)
        let overwrite = Overwrite(
            id: target, kind: kind, allow: reader.knownPermissions("allow").value ?? [],
            deny: reader.knownPermissions("deny").value ?? [])
        try reader.finish()
        switch kind {
        case .role: guard roles[target] != nil else { throw .unknownRole }
        case .member: guard members[target] != nil else { throw .unknownMember }
        }
        let old = channel.overwrites
        if let index = old.firstIndex(where: { $0.id == target }) {
            channel.overwrites[index] = overwrite
        } else {
            guard old.count < GuildLimits.overwrites else {
                throw .form(
                    [], code: "CHANNEL_MAX_OVERWRITES",
                    message: "Maximum number of permission overwrites reached (\(GuildLimits.overwrites))")
            }
            channel.overwrites.append(overwrite)
        }
        try checkGrants(from: old, to: channel.overwrites, held: held, actor)
        return GuildPlan(changes: old == channel.overwrites ? [] : [.channelUpdated(channel)], reply: .nothing)
    }

    mutating func deleteOverwrite(
        of target: Snowflake, in id: ChannelID, _ request: GuildRequest, _ actor: GuildActing
    ) throws(APIError) -> GuildPlan {
        let held = try checkedPermissions(of: actor.userID, in: id, at: request.now)
        guard held.contains(.manageRoles), var channel = channels[id] else { throw .missingPermissions }
        guard let index = channel.overwrites.firstIndex(where: { $0.id == target }) else { throw .unknownOverwrite }
        let old = channel.overwrites
        channel.overwrites.remove(at: index)
        try checkGrants(from: old, to: channel.overwrites, held: held, actor)
        return GuildPlan(changes: [.channelUpdated(channel)], reply: .nothing)
    }

    /// Reads `permission_overwrites`; nil where it is missing. Those for roles that do not exist are refused, those for
    /// users are kept even if they are no members now, as clients send back what they were given.
    func readOverwrites(_ reader: inout BodyReader) -> [Overwrite]? {
        let field = reader.list("permission_overwrites", count: 0...GuildLimits.overwrites)
        guard let elements = field.value else { return field == .null ? [] : nil }
        var overwrites: [Overwrite] = []
        var seen: Set<Snowflake> = []
        for (index, element) in elements.enumerated() {
            var inner = BodyReader(element, path: ["permission_overwrites", String(index)])
            let id = inner.require("id", inner.snowflake("id"))
            let kind = inner.overwriteKind ?? (id.flatMap { roles[$0] } != nil ? .role : .member)
            let allow = inner.knownPermissions("allow").value ?? []
            let deny = inner.knownPermissions("deny").value ?? []
            if let id {
                if kind == .role, roles[id] == nil {
                    inner.refuse("id", code: "ROLE_INVALID", message: "No such role of the guild.")
                } else if seen.insert(id).inserted {
                    overwrites.append(Overwrite(id: id, kind: kind, allow: allow, deny: deny))
                }
            }
            reader.merge(inner)
        }
        return overwrites
    }

    /// Nobody but the owner grants a permission they lack, be it by allowing it or by taking a denial away.
    func checkGrants(
        from old: [Overwrite], to new: [Overwrite], held: Permissions, _ actor: GuildActing
    ) throws(APIError) {
        guard old != new else { return }
        let before = Dictionary(old.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Dictionary(new.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var granted: Permissions = []
        for id in Set(before.keys).union(after.keys) {
            let allowed = (after[id]?.allow ?? []).subtracting(before[id]?.allow ?? [])
            let restored = (before[id]?.deny ?? []).subtracting(after[id]?.deny ?? [])
            granted.formUnion(allowed.union(restored))
        }
        guard hierarchy.mayGrant(granted, holding: held, from: actor.place) else { throw .missingPermissions }
    }
}

extension BodyReader {
    /// `type` of an overwrite: 0 or `"role"`, 1 or `"member"`.
    fileprivate var overwriteKind: Overwrite.Kind? {
        mutating get { choice("type", of: [0, 1]).value.flatMap(Overwrite.Kind.init(rawValue:)) }
    }

    /// Permissions without bits that have no name, which nobody could hold and so nobody grant.
    mutating func knownPermissions(_ key: String) -> BodyField<Permissions> {
        permissions(key).map { $0.intersection(.all) }
    }
}
