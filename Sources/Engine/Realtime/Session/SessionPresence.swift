import FluxCore

/// What one session says of its user: op 3, or the `presence` of IDENTIFY (protocol 7.3, 7.4).
public struct SessionPresence: Sendable, Equatable {
    /// Never `.offline`: an open session that wants to look so is invisible.
    public var status: PresenceStatus
    public var activities: [Activity]

    public init(status: PresenceStatus = .online, activities: [Activity] = []) {
        self.status = status
        self.activities = activities
    }

    /// Reads the `d` of op 3. Every key may be null or absent; hikari sends `game` in place of `activities`.
    /// Nil if a key has the wrong type.
    public init?(json: JSON, now: Timestamp) {
        guard let fields = json.objectValue else { return nil }
        switch fields["status"] {
        case nil, .null?: status = .online
        case .string(let name)?:
            guard let status = PresenceStatus(rawValue: name) else { return nil }
            // Some clients spell invisible so.
            self.status = status == .offline ? .invisible : status
        default: return nil
        }
        switch fields["activities"] {
        case nil, .null?, .array?: break
        default: return nil
        }
        activities = Activity.list(json: json, now: now)
    }
}
