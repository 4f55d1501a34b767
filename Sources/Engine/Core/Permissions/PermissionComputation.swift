/// The computation of protocol 4: what a member may do in a guild and in one of its channels. Pure.
public enum PermissionComputation {
    /// Step 1: the permissions of a member in the guild as a whole. The owner and holders of ADMINISTRATOR have all.
    public static func base(
        isOwner: Bool, everyone: Permissions, roles: some Sequence<Permissions>
    ) -> Permissions {
        if isOwner { return .all }
        var base = everyone
        for role in roles { base.formUnion(role) }
        return base.contains(.administrator) ? .all : base
    }

    /// Steps 2 to 6: the permissions in one channel.
    ///
    /// - Parameters:
    ///   - base: the result of `base(isOwner:everyone:roles:)`; with ADMINISTRATOR in it overwrites and a time-out have
    ///     no effect, because step 1 gives everything (this covers the owner).
    ///   - guildID: also the id of the overwrite of `@everyone`.
    ///   - roles: the member's roles; asked by membership only.
    ///   - isTimedOut: whether a time-out of the member is running.
    public static func inChannel(
        base: Permissions, guildID: GuildID, memberID: UserID, hasRole: (RoleID) -> Bool, overwrites: [Overwrite],
        isTimedOut: Bool
    ) -> Permissions {
        if base.contains(.administrator) { return .all }
        var permissions = base
        var roleDeny: Permissions = []
        var roleAllow: Permissions = []
        var everyone: Overwrite?
        var own: Overwrite?
        for overwrite in overwrites {
            switch overwrite.kind {
            case .role:
                if overwrite.id == guildID {
                    everyone = overwrite
                } else if hasRole(overwrite.id) {
                    roleDeny.formUnion(overwrite.deny)
                    roleAllow.formUnion(overwrite.allow)
                }
            case .member:
                if overwrite.id == memberID { own = overwrite }
            }
        }
        if let everyone {
            permissions.subtract(everyone.deny)
            permissions.formUnion(everyone.allow)
        }
        permissions.subtract(roleDeny)
        permissions.formUnion(roleAllow)
        if let own {
            permissions.subtract(own.deny)
            permissions.formUnion(own.allow)
        }
        // ADMINISTRATOR counts in roles only: an overwrite cannot make one.
        permissions.remove(.administrator)
        return finish(permissions, isTimedOut: isTimedOut)
    }

    /// Steps 5 and 6, for permissions that were gathered.
    private static func finish(_ gathered: Permissions, isTimedOut: Bool) -> Permissions {
        guard gathered.contains(.viewChannel) else { return [] }
        var permissions = gathered
        if !permissions.contains(.sendMessages) { permissions.subtract(.needSending) }
        if isTimedOut { permissions.formIntersection(.whileTimedOut) }
        return permissions
    }
}
