import FluxCore

/// On whose behalf a command is performed, as the edge authenticated them.
public struct Caller: Sendable, Hashable {
    /// The account; `Caller.nobody` has the id 0.
    public var userID: UserID
    /// Whether it is a bot's.
    public var isBot: Bool

    public init(userID: UserID, isBot: Bool) {
        self.userID = userID
        self.isBot = isBot
    }

    /// One without a credential, for the few reads that need none.
    public static let nobody = Caller(userID: UserID(0), isBot: false)
}
