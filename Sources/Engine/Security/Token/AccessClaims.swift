import FluxCore

/// What an access token says: whose it is, of which login, and from when to when (protocol 10.1).
public struct AccessClaims: Sendable, Equatable {
    /// How long an access token lives: 15 minutes, in seconds.
    public static let lifetimeSeconds: Int64 = 15 * 60

    /// How far two nodes' clocks may be apart before a good token is refused, in seconds. A node whose clock is more than
    /// one second off Postgres's is not ready at all, so five are enough for any pair.
    public static let clockSkewSeconds: Int64 = 5

    /// `sub`: the person.
    public var userID: UserID
    /// `sid`: the login, which ends all its tokens when it ends.
    public var loginID: LoginID
    /// `iat`: seconds since 1970 UTC.
    public var issuedAt: Int64
    /// `exp`: seconds since 1970 UTC.
    public var expiresAt: Int64
    /// `jti`: random, so that no two tokens are equal.
    public var tokenID: String

    public init(userID: UserID, loginID: LoginID, issuedAt: Int64, expiresAt: Int64, tokenID: String) {
        self.userID = userID
        self.loginID = loginID
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.tokenID = tokenID
    }

    /// The claims of a new token that is good from `now` for ``lifetimeSeconds``.
    public init(userID: UserID, loginID: LoginID, tokenID: String, at now: Timestamp) {
        self.init(
            userID: userID, loginID: loginID, issuedAt: now.seconds,
            expiresAt: now.seconds + Self.lifetimeSeconds, tokenID: tokenID)
    }

    /// Whether the token may be used at `now`, give or take ``clockSkewSeconds``.
    public func isInDate(at now: Timestamp) -> Bool {
        issuedAt <= now.seconds + Self.clockSkewSeconds && now.seconds < expiresAt + Self.clockSkewSeconds
    }

    /// The claims in `payload`, or nil where one is missing, of the wrong type, or promises more than
    /// ``lifetimeSeconds``.
    init?(_ payload: JSON) {
        guard let userID = payload["sub"]?.stringValue.flatMap(Snowflake.init(_:)),
            let loginID = payload["sid"]?.stringValue.flatMap(Snowflake.init(_:)),
            let issuedAt = payload["iat"]?.intValue.map(Int64.init), issuedAt >= 0,
            let expiresAt = payload["exp"]?.intValue.map(Int64.init), expiresAt > issuedAt,
            expiresAt - issuedAt <= Self.lifetimeSeconds, expiresAt < Int64.max / 2,
            let tokenID = payload["jti"]?.stringValue
        else { return nil }
        self.init(
            userID: userID, loginID: loginID, issuedAt: issuedAt, expiresAt: expiresAt, tokenID: tokenID)
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("sub")
        writer.snowflake(userID)
        writer.key("sid")
        writer.snowflake(loginID)
        writer.key("iat")
        writer.int(issuedAt)
        writer.key("exp")
        writer.int(expiresAt)
        writer.key("jti")
        writer.string(tokenID)
        writer.endObject()
    }
}
