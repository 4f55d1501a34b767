import FluxCore

/// The caller of a command, who is a member.
struct GuildActing {
    let member: Member
    let place: HierarchyPlace
    /// In the guild as a whole.
    private let base: Permissions

    init(member: Member, place: HierarchyPlace, base: Permissions, isTimedOut: Bool) {
        self.member = member
        self.place = place
        let isBound = isTimedOut && !base.contains(.administrator)
        self.base = isBound ? base.intersection(.whileTimedOut) : base
    }

    var userID: UserID { member.userID }
    var isOwner: Bool { place == .owner }
    var permissions: Permissions { base }

    /// Refuses those who lack a permission in the guild as a whole.
    func require(_ needed: Permissions) throws(APIError) {
        guard base.isSuperset(of: needed) else { throw .missingPermissions }
    }
}
