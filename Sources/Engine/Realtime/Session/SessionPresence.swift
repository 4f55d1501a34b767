import FluxCore

/// What one session says of its user: op 3, or the `presence` of IDENTIFY (protocol 7.3, 7.4).
public struct SessionPresence: Sendable, Equatable {
    public enum Status: String, Sendable {
        case online, idle, dnd, invisible
    }

    public var status: Status
    /// The activities as JSON, cleaned: at most 16, each with `name`, `type` and `created_at`.
    public var activities: [JSON]
    /// Milliseconds since 1970 since when the user is away; nil if not.
    public var since: Int64?

    static let maximumActivities = 16

    public init(status: Status = .online, activities: [JSON] = [], since: Int64? = nil) {
        self.status = status
        self.activities = activities
        self.since = since
    }

    /// Reads the `d` of op 3. Every key may be null or absent; hikari sends `game` in place of `activities`.
    /// Nil if a key has the wrong type.
    public init?(json: JSON) {
        guard let fields = json.objectValue else { return nil }
        switch fields["status"] {
        case nil, .null?: status = .online
        case .string(let name)?:
            // "offline" is how some clients spell invisible.
            guard let status = Status(rawValue: name == "offline" ? "invisible" : name) else { return nil }
            self.status = status
        default: return nil
        }
        switch fields["since"] {
        case nil, .null?: since = nil
        case let value?:
            guard let milliseconds = value.intValue else { return nil }
            since = Int64(milliseconds)
        }
        var listed: [JSON] = []
        switch fields["activities"] {
        case nil, .null?: break
        case .array(let values)?: listed = values
        default: return nil
        }
        if let game = fields["game"], game != .null { listed.append(game) }
        activities = []
        for activity in listed.prefix(Self.maximumActivities) {
            guard let object = activity.objectValue, object["name"]?.stringValue != nil else { return nil }
            activities.append(activity)
        }
    }
}
