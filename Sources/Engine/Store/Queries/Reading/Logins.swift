import FluxCore

/// One login of one person.
public struct Login: Sendable, Equatable {
    public var id: LoginID
    public var userID: UserID
    public var createdAt: Timestamp
    public var lastUsedAt: Timestamp
    /// What the client said of itself.
    public var clientInfo: String
}

/// Logins and their families of refresh tokens (protocol 10.1). Tokens come and lie here as hashes only.
public struct Logins: Sendable {
    /// What became of a refresh token that somebody showed.
    public enum Rotation: Sendable, Equatable {
        /// It was good and is used now; its successor is stored.
        case rotated(loginID: LoginID, userID: UserID)
        /// It was used within the last 10 s, by another tab perhaps: nothing has changed.
        case usedJustNow
        /// It was used before: the whole login has ended.
        case reused(loginID: LoginID, userID: UserID)
        /// Never given, out of date, or of a login that has ended.
        case unknown
    }

    /// The time within which the same token may come a second time without harm: 10 s.
    public static let graceSeconds: Int64 = 10

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// Begins a login with its first refresh token.
    public func begin(
        _ loginID: LoginID, userID: UserID, tokenHash: [UInt8], expiresAt: Timestamp, at now: Timestamp,
        clientInfo: String
    ) async throws(StoreError) {
        _ = try await database.transaction([
            Statement(Queries.begin, [.id(loginID), .id(userID), .timestamp(now), .text(clientInfo)]),
            Statement(
                Queries.issue, [.bytes(tokenHash), .id(loginID), .timestamp(now), .timestamp(expiresAt)]),
        ])
    }

    /// Takes one refresh token for the next. Of several at once with the same token one rotates, the others are told
    /// `usedJustNow`.
    public func rotate(
        _ tokenHash: [UInt8], to successorHash: [UInt8], expiresAt: Timestamp, at now: Timestamp
    ) async throws(StoreError) -> Rotation {
        let taken = try await database.run(
            Statement(
                Queries.rotate, [.bytes(tokenHash), .bytes(successorHash), .timestamp(now), .timestamp(expiresAt)]))
        if let row = taken.first { return .rotated(loginID: try row.id(0), userID: try row.id(1)) }
        guard let row = try await database.run(Statement(Queries.look, [.bytes(tokenHash)])).first,
            let usedAt = try row.optionalTimestamp(2), try row.isNull(3)
        else { return .unknown }
        if now <= usedAt.adding(seconds: Self.graceSeconds) { return .usedJustNow }
        let loginID = try row.id(0)
        let userID = try row.id(1)
        try await end([loginID], of: userID, at: now)
        return .reused(loginID: loginID, userID: userID)
    }

    /// Ends logins of one person and says which; those of others and those that have ended already are passed over.
    @discardableResult
    public func end(
        _ loginIDs: [LoginID], of userID: UserID, at now: Timestamp
    ) async throws(StoreError) -> [LoginID] {
        var ended: [LoginID] = []
        for row in try await database.run(
            Statement(Queries.end, [.id(userID), .ids(loginIDs), .timestamp(now)]))
        {
            ended.append(try row.id(0))
        }
        return ended
    }

    /// The person's logins that have not ended, the newest use first, at most 100.
    public func current(of userID: UserID) async throws(StoreError) -> [Login] {
        var logins: [Login] = []
        for row in try await database.run(Statement(Queries.current, [.id(userID)])) {
            logins.append(
                Login(
                    id: try row.id(0), userID: userID, createdAt: try row.timestamp(1),
                    lastUsedAt: try row.timestamp(2),
                    clientInfo: try row.text(3)))
        }
        return logins
    }

    /// Logins that ended at or after `moment`, the oldest first: whose access tokens must not be believed any more. At
    /// most 10,000 a call; a full answer means that there are more.
    public func ended(since moment: Timestamp) async throws(StoreError) -> [(loginID: LoginID, endedAt: Timestamp)] {
        var ended: [(loginID: LoginID, endedAt: Timestamp)] = []
        for row in try await database.run(Statement(Queries.ended, [.timestamp(moment)])) {
            ended.append((try row.id(0), try row.timestamp(1)))
        }
        return ended
    }

    enum Queries {
        static let begin = PreparedQuery(
            "logins.begin",
            """
            INSERT INTO logins (id, user_id, created_at, last_used_at, client_info) VALUES ($1, $2, $3, $3, $4)
            """, [.int8, .int8, .timestamptz, .text])

        static let issue = PreparedQuery(
            "logins.issue",
            "INSERT INTO refresh_tokens (hash, login_id, issued_at, expires_at) VALUES ($1, $2, $3, $4)",
            [.bytea, .int8, .timestamptz, .timestamptz])

        // Two at once: the second waits for the first one's row lock and then finds used_at set.
        static let rotate = PreparedQuery(
            "logins.rotate",
            """
            WITH taken AS (
                UPDATE refresh_tokens t SET used_at = $3 FROM logins l
                WHERE t.hash = $1 AND t.used_at IS NULL AND t.expires_at > $3 AND l.id = t.login_id
                    AND l.ended_at IS NULL
                RETURNING t.login_id, l.user_id
            ), issued AS (
                INSERT INTO refresh_tokens (hash, login_id, issued_at, expires_at)
                SELECT $2, login_id, $3, $4 FROM taken
            ), touched AS (
                UPDATE logins SET last_used_at = $3 FROM taken WHERE logins.id = taken.login_id
            )
            SELECT login_id, user_id FROM taken
            """, [.bytea, .bytea, .timestamptz, .timestamptz])

        static let look = PreparedQuery(
            "logins.look",
            """
            SELECT t.login_id, l.user_id, t.used_at, l.ended_at FROM refresh_tokens t JOIN logins l ON l.id = t.login_id
            WHERE t.hash = $1
            """, [.bytea])

        static let end = PreparedQuery(
            "logins.end",
            """
            UPDATE logins SET ended_at = $3 WHERE id = ANY ($2) AND user_id = $1 AND ended_at IS NULL RETURNING id
            """, [.int8, .int8Array, .timestamptz])

        static let current = PreparedQuery(
            "logins.current",
            """
            SELECT id, created_at, last_used_at, client_info FROM logins WHERE user_id = $1 AND ended_at IS NULL
            ORDER BY last_used_at DESC LIMIT 100
            """, [.int8])

        static let ended = PreparedQuery(
            "logins.ended",
            """
            SELECT id, ended_at FROM logins WHERE ended_at >= $1 AND ended_at IS NOT NULL ORDER BY ended_at LIMIT 10000
            """, [.timestamptz])
    }
}
