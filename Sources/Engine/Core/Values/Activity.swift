/// What somebody is doing (protocol 6.7), cleaned of what was sent beyond it.
public struct Activity: Sendable, Equatable {
    /// 0 game, 1 streaming, 2 listening, 3 watching, 4 custom, 5 competing.
    public var kind: Int
    public var name: String
    public var state: String?
    public var details: String?
    public var url: String?
    /// Object of `id`, `name`, `animated`.
    public var emoji: JSON?
    public var createdAt: Timestamp

    public init(
        kind: Int, name: String, state: String? = nil, details: String? = nil, url: String? = nil, emoji: JSON? = nil,
        createdAt: Timestamp
    ) {
        self.kind = kind
        self.name = name
        self.state = state
        self.details = details
        self.url = url
        self.emoji = emoji
        self.createdAt = createdAt
    }

    /// The most activities of one session that are kept.
    public static let maximumCount = 8

    /// Reads an activity object of opcode 3; nil without a name. Texts are cut to 128 characters.
    public init?(json: JSON, now: Timestamp) {
        guard let name = json["name"]?.stringValue, !name.isEmpty else { return nil }
        self.init(
            kind: json["type"]?.intValue.flatMap { (0...5).contains($0) ? $0 : nil } ?? 0,
            name: Self.cut(name),
            state: json["state"]?.stringValue.map(Self.cut),
            details: json["details"]?.stringValue.map(Self.cut),
            url: json["url"]?.stringValue.map(Self.cut),
            emoji: json["emoji"].flatMap(Self.emoji),
            createdAt: now)
    }

    /// Reads the `activities` list of opcode 3, or hikari's `game`.
    public static func list(json: JSON, now: Timestamp) -> [Activity] {
        if let activities = json["activities"]?.arrayValue {
            return activities.prefix(maximumCount).compactMap { Activity(json: $0, now: now) }
        }
        return json["game"].flatMap { Activity(json: $0, now: now) }.map { [$0] } ?? []
    }

    /// The activity object.
    public var json: JSON {
        var object = JSONObject([
            .init(key: "name", value: .string(name)),
            .init(key: "type", value: JSON(kind)),
            .init(key: "created_at", value: .number(.integer(createdAt.milliseconds))),
        ])
        if let state { object["state"] = .string(state) }
        if let details { object["details"] = .string(details) }
        if let url { object["url"] = .string(url) }
        if let emoji { object["emoji"] = emoji }
        return .object(object)
    }

    private static func cut(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(128)))
    }

    private static func emoji(_ json: JSON) -> JSON? {
        guard let name = json["name"]?.stringValue else { return nil }
        var object = JSONObject([.init(key: "name", value: .string(cut(name)))])
        if let id = json["id"]?.snowflakeValue { object["id"] = JSON(id) }
        if json["animated"]?.boolValue == true { object["animated"] = true }
        return .object(object)
    }
}
