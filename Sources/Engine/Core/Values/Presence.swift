/// Whether somebody is there (protocol 6.7); the raw value is the `status` of the wire.
public enum PresenceStatus: String, Sendable, CaseIterable {
    case online
    case idle
    case dnd
    case invisible
    case offline

    /// What others are told: an invisible one is offline.
    public var shown: PresenceStatus {
        self == .invisible ? .offline : self
    }
}

/// What others see of somebody's sessions together.
public struct Presence: Sendable, Equatable {
    public var userID: UserID
    public var status: PresenceStatus
    /// An array of activity objects.
    public var activities: JSON
    /// An object of status by kind of client.
    public var clientStatus: JSON

    public init(
        userID: UserID, status: PresenceStatus, activities: JSON = .array([]),
        clientStatus: JSON = .object(JSONObject())
    ) {
        self.userID = userID
        self.status = status
        self.activities = activities
        self.clientStatus = clientStatus
    }

    /// Somebody of whom nothing is seen.
    public static func offline(_ userID: UserID) -> Presence {
        Presence(userID: userID, status: .offline)
    }

    /// Writes the presence object; `guildID` in events of guilds, nil toward friends.
    public func write(to writer: inout JSONWriter, guildID: GuildID?) {
        let hidden = status.shown == .offline
        writer.beginObject()
        writer.key("user")
        writer.beginObject()
        writer.field("id", userID)
        writer.endObject()
        if let guildID { writer.field("guild_id", guildID) }
        writer.field("status", status.shown.rawValue)
        writer.field("activities", hidden ? .array([]) : activities)
        writer.field("client_status", hidden ? .object(JSONObject()) : clientStatus)
        writer.endObject()
    }
}
