import FluxCore

/// A person's settings: a free object of which the server knows a few keys (protocol 9.5).
package struct UserSettings: Sendable, Equatable {
    /// The most bytes that the object may have.
    static let byteLimit = 64 * 1024

    private(set) var object: JSONObject

    init(_ object: JSONObject = JSONObject()) { self.object = object }

    /// Settings as they are stored; what cannot be read counts as none.
    init(stored bytes: [UInt8]?) {
        object = bytes.flatMap { try? JSON.parse($0) }?.objectValue ?? JSONObject()
    }

    var json: JSON { .object(object) }

    /// Whether the person lets others of a DM know how far they have read, and is let know (protocol 10.3).
    var readReceipts: Bool { object["read_receipts"]?.boolValue ?? true }

    /// Whether strangers may ask for friendship.
    var takesFriendRequests: Bool { object["friend_source_flags"]?["all"]?.boolValue ?? true }

    /// The status chosen for all sessions; nil where each speaks for itself.
    var chosenStatus: PresenceStatus? {
        object["status"]?.stringValue.flatMap(PresenceStatus.init(rawValue:)).map { $0 == .offline ? .invisible : $0 }
    }

    /// The custom status as an activity (protocol 9.3); nil if there is none, or none any more.
    func customStatus(at now: Timestamp) -> Activity? {
        guard let status = object["custom_status"], status.objectValue != nil else { return nil }
        if let end = status["expires_at"]?.stringValue.flatMap({ Timestamp(iso8601: $0) }), end <= now { return nil }
        let text = status["text"]?.stringValue
        let name = status["emoji_name"]?.stringValue
        guard text != nil || name != nil else { return nil }
        var emoji: JSON?
        if let name {
            var object = JSONObject([.init(key: "name", value: .string(name))])
            if let id = status["emoji_id"]?.snowflakeValue { object["id"] = JSON(id) }
            emoji = .object(object)
        }
        return Activity(kind: 4, name: "Custom Status", state: text, emoji: emoji, createdAt: now)
    }

    /// When the custom status ends by itself, if it is not over.
    func customStatusEnd(after now: Timestamp) -> Timestamp? {
        guard let end = object["custom_status"]?["expires_at"]?.stringValue.flatMap({ Timestamp(iso8601: $0) }),
            end > now
        else { return nil }
        return end
    }

    /// The settings with the members of `patch` in place of theirs, each as a whole: one level deep.
    func merging(_ patch: JSONObject) throws(APIError) -> UserSettings {
        try Self.check(patch)
        var merged = object
        for member in patch.members { merged[member.key] = member.value }
        guard JSON.object(merged).encoded().count <= Self.byteLimit else { throw .requestTooLarge }
        return UserSettings(merged)
    }

    /// Refuses values of the known keys that the server could not work with.
    private static func check(_ patch: JSONObject) throws(APIError) {
        var reader = BodyReader(.object(patch))
        _ = reader.bool("read_receipts")
        _ = reader.object("friend_source_flags")
        if let status = reader.string("status", length: 1...16).value, PresenceStatus(rawValue: status) == nil {
            reader.refuse("status", code: "BASE_TYPE_CHOICES", message: "Value must be a status.")
        }
        if let custom = reader.object("custom_status").value {
            var inner = BodyReader(custom, path: ["custom_status"])
            _ = inner.string("text", length: 0...128)
            _ = inner.string("emoji_name", length: 0...64)
            _ = inner.snowflake("emoji_id")
            _ = inner.timestamp("expires_at")
            reader.merge(inner)
        }
        try reader.finish()
    }
}
