import FluxCore

/// What is limited per person, wherever in the cluster they call (protocol 3.6). What is limited per person and channel is a
/// `ChannelBucket`.
public enum UserBucket: UInt8, Sendable, CaseIterable {
    /// The limit over all routes.
    case everything = 1
    case acknowledge = 2
    case guildChange = 3
    case guildCreate = 4
    case friendRequest = 5
    case applicationCreate = 6
    case search = 7
}

/// One limit of one person.
public struct UserBudget: Hashable, Sendable {
    /// Whose.
    public let userID: UserID
    /// Which limit.
    public let bucket: UserBucket
    /// The guild or channel that it is counted for apart from others; 0 where there is none.
    public let place: UInt64

    /// A limit.
    public init(of userID: UserID, _ bucket: UserBucket, in place: UInt64 = 0) {
        self.userID = userID
        self.bucket = bucket
        self.place = place
    }
}
