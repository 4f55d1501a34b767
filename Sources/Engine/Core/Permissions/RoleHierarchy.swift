/// A role's or a member's place in the order of a guild (protocol 4, "Hierarchy"). A greater place outranks a smaller one.
public enum HierarchyPlace: Hashable, Comparable, Sendable {
    /// The highest role of a member: its position, and its id where two roles share a position (the older one ranks
    /// higher). Members without roles have `@everyone`, position 0.
    case role(position: Int, id: RoleID)
    /// The owner of the guild, above every role.
    case owner

    public static func < (left: HierarchyPlace, right: HierarchyPlace) -> Bool {
        switch (left, right) {
        case (.owner, _): false
        case (.role, .owner): true
        case (.role(let leftPosition, let leftID), .role(let rightPosition, let rightID)):
            leftPosition != rightPosition ? leftPosition < rightPosition : leftID > rightID
        }
    }
}

/// The rules of who may act on whom, in one place (protocol 4, "Hierarchy"). Pure; permissions are checked elsewhere.
public struct RoleHierarchy: Sendable {
    /// The guild, whose id is also that of `@everyone`.
    public let guildID: GuildID
    /// The owner, who may do everything and on whom nobody may act.
    public let ownerID: UserID

    public init(guildID: GuildID, ownerID: UserID) {
        self.guildID = guildID
        self.ownerID = ownerID
    }

    /// The place of a member with these roles (without `@everyone`, which is below all of them).
    public func place(of userID: UserID, roles: some Sequence<Role>) -> HierarchyPlace {
        if userID == ownerID { return .owner }
        var highest = HierarchyPlace.role(position: 0, id: guildID)
        for role in roles { highest = max(highest, place(of: role)) }
        return highest
    }

    /// The place of a role.
    public func place(of role: Role) -> HierarchyPlace {
        .role(position: role.position, id: role.id)
    }

    /// Whether somebody at `actor` may edit, give, take or delete the role.
    public func mayManage(_ role: Role, from actor: HierarchyPlace) -> Bool {
        actor == .owner || place(of: role) < actor
    }

    /// Whether somebody at `actor` may kick, ban, rename or time out somebody at `target`.
    public func mayAct(on target: HierarchyPlace, from actor: HierarchyPlace) -> Bool {
        target != .owner && (actor == .owner || target < actor)
    }

    /// Whether somebody with the permissions `held` may grant `granted`: nobody but the owner gives what they lack.
    public func mayGrant(_ granted: Permissions, holding held: Permissions, from actor: HierarchyPlace) -> Bool {
        actor == .owner || held.contains(.administrator) || granted.isSubset(of: held)
    }
}
