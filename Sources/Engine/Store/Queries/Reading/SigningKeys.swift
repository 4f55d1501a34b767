import FluxCore

/// A key that signs access tokens, as it lies in the store: raw, because the store knows no cryptography.
public struct StoredSigningKey: Sendable, Equatable {
    public var keyID: String
    public var privateKey: [UInt8]
    public var createdAt: Timestamp
    public var signsFrom: Timestamp
    public var checksUntil: Timestamp

    public init(
        keyID: String, privateKey: [UInt8], createdAt: Timestamp, signsFrom: Timestamp, checksUntil: Timestamp
    ) {
        self.keyID = keyID
        self.privateKey = privateKey
        self.createdAt = createdAt
        self.signsFrom = signsFrom
        self.checksUntil = checksUntil
    }
}

/// The cluster's keys for access tokens.
public struct SigningKeys: Sendable {
    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// The keys that still check something at `now`, the newest first, at most 100.
    public func inUse(at now: Timestamp) async throws(StoreError) -> [StoredSigningKey] {
        var keys: [StoredSigningKey] = []
        for row in try await database.run(Statement(Queries.inUse, [.timestamp(now)])) {
            keys.append(
                StoredSigningKey(
                    keyID: try row.text(0), privateKey: try row.bytes(1), createdAt: try row.timestamp(2),
                    signsFrom: try row.timestamp(3), checksUntil: try row.timestamp(4)))
        }
        return keys
    }

    /// Adds a key; one with its name stays as it is.
    public func insert(_ key: StoredSigningKey) async throws(StoreError) {
        try await database.run(
            Statement(
                Queries.insert,
                [
                    .text(key.keyID), .bytes(key.privateKey), .timestamp(key.createdAt), .timestamp(key.signsFrom),
                    .timestamp(key.checksUntil),
                ]))
    }

    /// Removes the keys that check nothing any more.
    public func removeExpired(at now: Timestamp) async throws(StoreError) {
        try await database.run(Statement(Queries.removeExpired, [.timestamp(now)]))
    }

    enum Queries {
        static let inUse = PreparedQuery(
            "signingKeys.inUse",
            """
            SELECT key_id, private_key, created_at, signs_from, checks_until FROM signing_keys WHERE checks_until > $1
            ORDER BY signs_from DESC LIMIT 100
            """, [.timestamptz])

        static let insert = PreparedQuery(
            "signingKeys.insert",
            """
            INSERT INTO signing_keys (key_id, private_key, created_at, signs_from, checks_until)
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key_id) DO NOTHING
            """, [.text, .bytea, .timestamptz, .timestamptz, .timestamptz], repeatable: true)

        static let removeExpired = PreparedQuery(
            "signingKeys.removeExpired", "DELETE FROM signing_keys WHERE checks_until <= $1", [.timestamptz],
            repeatable: true)
    }
}
