import FluxCore

/// Op 8: a client asks for members of a guild (protocol 7.3).
struct MemberRequest: Sendable, Equatable {
    static let maximumUserIDs = 100
    static let maximumNonceLength = 32

    var guildID: GuildID
    /// The beginning of names to look for; empty for all.
    var query: String
    /// At most how many, 0 for all.
    var limit: Int
    var userIDs: [UserID]
    var wantsPresences: Bool
    var nonce: String?

    init(guildID: GuildID, query: String, limit: Int, userIDs: [UserID], wantsPresences: Bool, nonce: String?) {
        self.guildID = guildID
        self.query = query
        self.limit = limit
        self.userIDs = userIDs
        self.wantsPresences = wantsPresences
        self.nonce = nonce
    }

    init?(json: JSON) {
        guard let fields = json.objectValue else { return nil }
        // Some libraries send the guild as a list of one.
        guard let guild = fields["guild_id"]?.snowflakeValue ?? fields["guild_id"]?.arrayValue?.first?.snowflakeValue
        else { return nil }
        guildID = guild
        query = fields["query"]?.stringValue ?? ""
        limit = max(0, Int(clamping: fields["limit"]?.intValue ?? 0))
        wantsPresences = fields["presences"]?.boolValue ?? false
        nonce = fields["nonce"]?.stringValue
        if let nonce, nonce.utf8.count > Self.maximumNonceLength { self.nonce = nil }
        switch fields["user_ids"] {
        case nil, .null?: userIDs = []
        case .array(let values)?:
            guard values.count <= Self.maximumUserIDs else { return nil }
            userIDs = values.compactMap(\.snowflakeValue)
            guard userIDs.count == values.count else { return nil }
        case let value?:
            guard let id = value.snowflakeValue else { return nil }
            userIDs = [id]
        }
    }
}
