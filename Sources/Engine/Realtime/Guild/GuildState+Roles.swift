import FluxCore

/// Showing, making, changing, ordering and deleting roles.
extension GuildState {
    func listRoles() -> GuildPlan {
        GuildPlan(reply: .ok { Self.write(orderedRoles, to: &$0) })
    }

    func createRole(_ request: GuildRequest, _ actor: GuildActing) throws(APIError) -> GuildPlan {
        try actor.require(.manageRoles)
        var reader = request.reader
        var role = Role(
            id: RoleID(0), guildID: guild.id, name: "new role", permissions: roles[guild.id]?.permissions ?? [],
            position: 1)
        readFields(of: &role, &reader)
        try reader.finish()
        if reader.has("permissions") {
            guard hierarchy.mayGrant(role.permissions, holding: actor.permissions, from: actor.place) else {
                throw .missingPermissions
            }
        }
        if roles.count >= GuildLimits.roles { throw .tooManyRoles }
        role.id = try request.mint()
        return GuildPlan(changes: insertion(of: role), reply: .ok { role.write(to: &$0) })
    }

    func updateRole(_ id: RoleID, _ request: GuildRequest, _ actor: GuildActing) throws(APIError) -> GuildPlan {
        try actor.require(.manageRoles)
        guard let old = roles[id] else { throw .unknownRole }
        guard hierarchy.mayManage(old, from: actor.place) else { throw .missingPermissions }
        var reader = request.reader
        var role = old
        readFields(of: &role, &reader)
        try reader.finish()
        let granted = role.permissions.subtracting(old.permissions)
        guard hierarchy.mayGrant(granted, holding: actor.permissions, from: actor.place) else {
            throw .missingPermissions
        }
        return GuildPlan(changes: role == old ? [] : [.roleUpdated(role)], reply: .ok { role.write(to: &$0) })
    }

    func deleteRole(_ id: RoleID, _ actor: GuildActing) throws(APIError) -> GuildPlan {
        try actor.require(.manageRoles)
        guard let role = roles[id] else { throw .unknownRole }
        guard !role.isEveryone, !role.managed, hierarchy.mayManage(role, from: actor.place) else {
            throw .missingPermissions
        }
        return GuildPlan(changes: deletions(of: [id]), reply: .nothing)
    }

    func reorderRoles(_ request: GuildRequest, _ actor: GuildActing) throws(APIError) -> GuildPlan {
        try actor.require(.manageRoles)
        guard case .array(let elements) = request.body, elements.count <= GuildLimits.roles else {
            throw .form([], code: "LIST_TYPE_CONVERT", message: "Only iterables may be used in a ListType")
        }
        var wanted: [RoleID: Int] = [:]
        var errors = FormErrors()
        for (index, element) in elements.enumerated() {
            var reader = BodyReader(element, path: [String(index)])
            let id = reader.require("id", reader.snowflake("id"))
            let position = reader.integer("position", in: 0...GuildLimits.roles * 2).value
            if let id {
                if roles[id] == nil {
                    reader.refuse("id", code: "ROLE_INVALID", message: "No such role of the guild.")
                } else if let position, id != guild.id {
                    wanted[id] = max(1, position)
                }
            }
            errors.entries += reader.errors.entries
        }
        try errors.check()
        let moves = positions(moving: wanted)
        // Whoever is below sees nothing move at or above them, and moves nothing there.
        for (id, position) in moves where !actor.isOwner {
            guard let role = roles[id], hierarchy.mayManage(role, from: actor.place),
                HierarchyPlace.role(position: position, id: id) < actor.place
            else { throw .missingPermissions }
        }
        let after = orderedRoles.map { role in
            var role = role
            role.position = moves[role.id] ?? role.position
            return role
        }
        return GuildPlan(
            changes: moves.isEmpty ? [] : [.rolesMoved(moves)],
            reply: .ok { Self.write(after.sorted { $0.position < $1.position }, to: &$0) })
    }

    /// A new role stands at position 1: the others move up.
    func insertion(of role: Role) -> [GuildChange] {
        var moves: [RoleID: Int] = [:]
        for other in roles.values where !other.isEveryone { moves[other.id] = other.position + 1 }
        return moves.isEmpty ? [.roleCreated(role)] : [.roleCreated(role), .rolesMoved(moves)]
    }

    /// Roles go, and those above them close the gaps.
    func deletions(of ids: [RoleID]) -> [GuildChange] {
        guard !ids.isEmpty else { return [] }
        var moves: [RoleID: Int] = [:]
        var position = 0
        for role in orderedRoles where !role.isEveryone && !ids.contains(role.id) {
            position += 1
            if role.position != position { moves[role.id] = position }
        }
        return ids.map { .roleDeleted($0) } + (moves.isEmpty ? [] : [.rolesMoved(moves)])
    }

    /// The new positions of all roles that move when some are asked to. One that moves up comes to stand above what
    /// stands there, one that moves down below it.
    private func positions(moving wanted: [RoleID: Int]) -> [RoleID: Int] {
        let order = orderedRoles.filter { !$0.isEveryone }
        func key(_ index: Int) -> (Int, Int, Int) {
            let role = order[index]
            guard let position = wanted[role.id], position != role.position else { return (role.position, 0, index) }
            return (position, position > role.position ? 1 : -1, index)
        }
        var moves: [RoleID: Int] = [:]
        for (place, index) in order.indices.sorted(by: { key($0) < key($1) }).enumerated() {
            if order[index].position != place + 1 { moves[order[index].id] = place + 1 }
        }
        return moves
    }

    private func readFields(of role: inout Role, _ reader: inout BodyReader) {
        reader.name("name", GuildLimits.roleName).apply(to: &role.name, default: "new role")
        if role.isEveryone { role.name = "@everyone" }
        reader.knownPermissions("permissions").apply(to: &role.permissions, default: [])
        reader.integer("color", in: GuildLimits.color).apply(to: &role.color, default: 0)
        if let colors = reader.object("colors").value {
            var inner = BodyReader(colors, path: ["colors"])
            inner.integer("primary_color", in: GuildLimits.color).apply(to: &role.color, default: 0)
            inner.integer("secondary_color", in: GuildLimits.color).apply(to: &role.secondaryColor)
            inner.integer("tertiary_color", in: GuildLimits.color).apply(to: &role.tertiaryColor)
            reader.merge(inner)
        }
        reader.bool("hoist").apply(to: &role.hoist, default: false)
        reader.bool("mentionable").apply(to: &role.mentionable, default: false)
        reader.imageHash("icon").apply(to: &role.icon)
        reader.string("unicode_emoji", length: 1...64).apply(to: &role.unicodeEmoji)
    }

    private static func write(_ roles: [Role], to writer: inout JSONWriter) {
        writer.beginArray()
        for role in roles { role.write(to: &writer) }
        writer.endArray()
    }
}
