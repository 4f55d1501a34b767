import FluxCore

/// A member with the account behind it.
public struct GuildMember: Sendable, Equatable {
    public var member: Member
    public var user: User

    public init(member: Member, user: User) {
        self.member = member
        self.user = user
    }
}
