/// Somebody who may not enter a guild.
public struct Ban: Sendable, Equatable {
    public var guildID: GuildID
    public var userID: UserID
    public var reason: String?
    public var createdAt: Timestamp

    public init(guildID: GuildID, userID: UserID, reason: String?, createdAt: Timestamp) {
        self.guildID = guildID
        self.userID = userID
        self.reason = reason
        self.createdAt = createdAt
    }

    /// Writes the ban object.
    public func write(to writer: inout JSONWriter, user: User) {
        writer.beginObject()
        writer.field("reason", reason)
        writer.key("user")
        user.write(to: &writer)
        writer.endObject()
    }
}
