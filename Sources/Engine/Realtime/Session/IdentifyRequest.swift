import FluxCore

/// Who stands behind an IDENTIFY or RESUME, as the authenticator found it.
public struct GatewayIdentity: Sendable, Equatable {
    public var userID: UserID
    public var isBot: Bool
    /// The login that the access token belongs to; nil for bots. Its end closes the session with 4004.
    public var loginID: LoginID?

    public init(userID: UserID, isBot: Bool, loginID: LoginID?) {
        self.userID = userID
        self.isBot = isBot
        self.loginID = loginID
    }
}

/// What a client asks for in IDENTIFY (protocol 7.4), already checked for form by the gateway.
public struct IdentifyRequest: Sendable {
    /// Which events a bot wants; people get all whatever they say.
    public var intents: Intents
    /// Up to how many members a guild's GUILD_CREATE lists all of them, 50 to 250.
    public var largeThreshold: Int
    /// `[i, n]`: guild g belongs to shard `(g >> 22) % n`; nil for a client without shards.
    public var shard: (index: Int, count: Int)?
    /// The `presence` object as the client sent it; nil if it sent none.
    public var presence: JSON?

    public init(intents: Intents, largeThreshold: Int, shard: (index: Int, count: Int)?, presence: JSON?) {
        self.intents = intents
        self.largeThreshold = largeThreshold
        self.shard = shard
        self.presence = presence
    }
}
