import FluxCore

/// Reads of accounts.
public struct Users: Sendable {
    /// The most accounts that one call returns.
    public static let batchLimit = 1_000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// One account.
    public func find(_ id: UserID) async throws(StoreError) -> User? {
        try await batch([id])[id]
    }

    /// Accounts by their ids; those that do not exist are missing in the answer. Asked for in pieces of `batchLimit`.
    public func batch(_ ids: [UserID]) async throws(StoreError) -> [UserID: User] {
        var users: [UserID: User] = [:]
        users.reserveCapacity(ids.count)
        var start = 0
        while start < ids.count {
            let piece = ids[start..<min(start + Self.batchLimit, ids.count)]
            for user in try UserRow.readAll(await database.run(Statement(Queries.batch, [.ids(piece)]))) {
                users[user.id] = user
            }
            start += Self.batchLimit
        }
        return users
    }

    /// The person of that name, in any case; never a bot.
    public func person(named username: String) async throws(StoreError) -> User? {
        guard let row = try await database.run(Statement(Queries.named, [.text(username.lowercased())])).first
        else { return nil }
        return try UserRow.read(row)
    }

    /// People whose name begins with `prefix`, by name.
    public func search(prefix: String, limit: Int) async throws(StoreError) -> [User] {
        let prefix = prefix.lowercased()
        guard !prefix.isEmpty else { return [] }
        // A key range: everything from the prefix up to, and without, the prefix with the greatest character behind it.
        let rows = try await database.run(
            Statement(
                Queries.search,
                [.text(prefix), .text(prefix + "\u{10FFFF}"), .int(max(0, min(limit, Self.batchLimit)))]))
        return try UserRow.readAll(rows)
    }

    enum Queries {
        static let batch = PreparedQuery(
            "users.batch", "SELECT \(UserRow.columns) FROM users u WHERE u.id = ANY ($1)", [.int8Array])

        static let named = PreparedQuery(
            "users.named",
            "SELECT \(UserRow.columns) FROM users u WHERE u.username = $1 AND NOT u.is_bot LIMIT 1", [.text])

        static let search = PreparedQuery(
            "users.search",
            """
            SELECT \(UserRow.columns) FROM users u WHERE u.username >= $1 AND u.username < $2 AND NOT u.is_bot
            ORDER BY u.username LIMIT $3
            """, [.text, .text, .int4])
    }
}
