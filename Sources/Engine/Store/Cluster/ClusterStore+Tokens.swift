import FluxCore

/// A join token as its table holds it.
public struct JoinTokenRow: Sendable, Equatable {
    /// SHA-256 of its secret.
    public var hash: [UInt8]
    /// When it was made.
    public var createdAt: Timestamp
    /// After which it lets nobody in.
    public var expiresAt: Timestamp
    /// Whether that is over.
    public var isExpired: Bool
    /// The node that it let in.
    public var usedBy: String?
}

/// The tokens that let nodes in.
extension ClusterStore {
    /// Tokens that may lie unused at one time.
    public static let tokenLimit = 1_000
    /// How many bytes of a hash name a token.
    public static let tokenNameByteCount = 8
    /// How long a token is kept after it has expired, so that who shows it hears why it is refused: 7 days, in seconds.
    public static let tokenMemorySeconds: Int64 = 7 * 86_400

    /// Keeps a token that is good for so long from now on. Throws `.overloaded` when `tokenLimit` tokens lie unused.
    public func addToken(hash: [UInt8], lifetimeSeconds: Int64) async throws(StoreError) -> JoinTokenRow {
        let rows = try await database.run(
            Statement(
                ClusterStore.insertToken, [.bytes(hash), .int(lifetimeSeconds), .int(ClusterStore.tokenLimit)]))
        guard let row = rows.first else { throw .overloaded }
        return try ClusterStore.token(row)
    }

    /// The tokens that are known, the newest first, at most `tokenLimit`.
    public func tokens() async throws(StoreError) -> [JoinTokenRow] {
        var tokens: [JoinTokenRow] = []
        for row in try await database.run(Statement(ClusterStore.allTokens, [.int(ClusterStore.tokenLimit)])) {
            tokens.append(try ClusterStore.token(row))
        }
        return tokens
    }

    /// Forgets the token whose hash begins so. Whether there was one.
    @discardableResult
    public func revokeToken(hashPrefix: [UInt8]) async throws(StoreError) -> Bool {
        let rows = try await database.run(Statement(ClusterStore.deleteToken, [.bytes(hashPrefix)]))
        return rows.affectedCount > 0
    }

    /// Forgets tokens and certificates that nobody will ask about any more. Returns how many.
    public func purge() async throws(StoreError) -> Int {
        let tokens = try await database.run(
            Statement(ClusterStore.purgeTokens, [.int(ClusterStore.tokenMemorySeconds)]))
        let certificates = try await database.run(Statement(ClusterStore.purgeCertificates))
        return tokens.affectedCount + certificates.affectedCount
    }

    private static func token(_ row: Row) throws(StoreError) -> JoinTokenRow {
        JoinTokenRow(
            hash: try row.bytes("hash"), createdAt: try row.timestamp("created_at"),
            expiresAt: try row.timestamp("expires_at"), isExpired: try row.bool("is_expired"),
            usedBy: try row.optionalText("used_by"))
    }

    static let insertToken = PreparedQuery(
        "cluster.insertToken",
        """
        INSERT INTO join_tokens (hash, expires_at)
        SELECT $1, clock_timestamp() + $2 * interval '1 second'
        WHERE (SELECT count(*) FROM join_tokens WHERE used_by IS NULL AND expires_at > clock_timestamp()) < $3
        RETURNING hash, created_at, expires_at, false AS is_expired, NULL::text AS used_by
        """, [.bytea, .int8, .int8])

    static let allTokens = PreparedQuery(
        "cluster.allTokens",
        """
        SELECT token.hash, token.created_at, token.expires_at, token.expires_at <= clock_timestamp() AS is_expired,
            node.name AS used_by
        FROM join_tokens AS token LEFT JOIN nodes AS node ON node.id = token.used_by
        ORDER BY token.created_at DESC, token.hash LIMIT $1
        """, [.int8])

    static let deleteToken = PreparedQuery(
        "cluster.deleteToken",
        "DELETE FROM join_tokens WHERE substring(hash FROM 1 FOR octet_length($1)) = $1 AND octet_length($1) >= 8",
        [.bytea], repeatable: true)

    static let purgeTokens = PreparedQuery(
        "cluster.purgeTokens",
        "DELETE FROM join_tokens WHERE expires_at < clock_timestamp() - $1 * interval '1 second'", [.int8],
        repeatable: true)

    static let purgeCertificates = PreparedQuery(
        "cluster.purgeCertificates", "DELETE FROM node_certificates WHERE expires_at < clock_timestamp()",
        repeatable: true)
}
