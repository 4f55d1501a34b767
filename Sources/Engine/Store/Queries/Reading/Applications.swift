import FluxCore

/// Applications, their bot users and their tokens. Not on any lane: an application has no actor, its owner changes it
/// alone, and each change is one statement or one transaction.
public struct Applications: Sendable {
    /// The most applications that a person may have, and that one call returns.
    public static let pageLimit = 100

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// Makes an application with its bot user, which has the same id, both or none.
    public func create(_ application: Application, bot: User) async throws(StoreError) {
        _ = try await database.transaction([
            .insertUser(bot),
            Statement(Queries.insert, Self.parameters(application) + [.timestamp(application.createdAt)]),
        ])
    }

    /// The application's new state.
    public func update(_ application: Application) async throws(StoreError) {
        try await database.run(Statement(Queries.update, Self.parameters(application)))
    }

    /// Removes an application and its token. Its bot user stays, because messages name it.
    public func delete(_ id: ApplicationID) async throws(StoreError) {
        try await database.run(Statement(Queries.delete, [.id(id)]))
    }

    /// One application.
    public func find(_ id: ApplicationID) async throws(StoreError) -> Application? {
        guard let row = try await database.run(Statement(Queries.find, [.id(id)])).first else { return nil }
        return try Self.read(row)
    }

    /// A person's applications by growing id.
    public func list(ownedBy ownerID: UserID) async throws(StoreError) -> [Application] {
        var applications: [Application] = []
        for row in try await database.run(Statement(Queries.list, [.id(ownerID), .int(Self.pageLimit)])) {
            applications.append(try Self.read(row))
        }
        return applications
    }

    /// Sets the hash of the bot's one valid token; the former one is void from then on.
    public func setToken(hash: [UInt8], of botID: UserID, at now: Timestamp) async throws(StoreError) {
        try await database.run(Statement(Queries.setToken, [.id(botID), .bytes(hash), .timestamp(now)]))
    }

    /// The hash of the bot's valid token, and the bot, or nil if it has none.
    public func token(of botID: UserID) async throws(StoreError) -> (hash: [UInt8], bot: User)? {
        guard let row = try await database.run(Statement(Queries.token, [.id(botID)])).first else { return nil }
        return (try row.bytes(.position(UserRow.count)), try UserRow.read(row))
    }

    /// In how many guilds the bot is.
    public func guildCount(of botID: UserID) async throws(StoreError) -> Int {
        try await database.run(Statement(Queries.guildCount, [.id(botID)])).first?.integer(0) ?? 0
    }

    private static func parameters(_ application: Application) -> [SQLValue] {
        [
            .id(application.id), .id(application.ownerID), .bool(application.isPublic), .text(application.name),
            .text(application.description), .text(application.icon), .text(application.verifyKey),
            .text(application.interactionsEndpointURL),
        ]
    }

    private static func read(_ row: Row) throws(StoreError) -> Application {
        Application(
            id: try row.id(0), name: try row.text(3), description: try row.text(4), icon: try row.optionalText(5),
            ownerID: try row.id(1), isPublic: try row.bool(2), verifyKey: try row.text(6),
            interactionsEndpointURL: try row.optionalText(7), createdAt: try row.timestamp(8))
    }

    enum Queries {
        static let columns = """
            id, owner_id, bot_public, name, description, icon, verify_key, interactions_endpoint_url, created_at
            """
        static let types: [SQLType] = [.int8, .int8, .bool, .text, .text, .text, .text, .text]

        static let insert = PreparedQuery(
            "applications.insert",
            "INSERT INTO applications (\(columns)) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", types + [.timestamptz])

        static let update = PreparedQuery(
            "applications.update",
            """
            UPDATE applications SET owner_id = $2, bot_public = $3, name = $4, description = $5, icon = $6,
                verify_key = $7, interactions_endpoint_url = $8
            WHERE id = $1
            """, types)

        static let delete = PreparedQuery(
            "applications.delete",
            "WITH token AS (DELETE FROM bot_tokens WHERE bot_id = $1) DELETE FROM applications WHERE id = $1", [.int8])

        static let find = PreparedQuery(
            "applications.find", "SELECT \(columns) FROM applications WHERE id = $1", [.int8])

        static let list = PreparedQuery(
            "applications.list",
            "SELECT \(columns) FROM applications WHERE owner_id = $1 ORDER BY id LIMIT $2", [.int8, .int4])

        static let setToken = PreparedQuery(
            "botTokens.set",
            """
            INSERT INTO bot_tokens (bot_id, hash, created_at) VALUES ($1, $2, $3)
            ON CONFLICT (bot_id) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at
            """, [.int8, .bytea, .timestamptz])

        static let token = PreparedQuery(
            "botTokens.find",
            """
            SELECT \(UserRow.columns), t.hash FROM bot_tokens t JOIN users u ON u.id = t.bot_id WHERE t.bot_id = $1
            """, [.int8])

        static let guildCount = PreparedQuery(
            "applications.guildCount", "SELECT count(*) FROM members WHERE user_id = $1", [.int8])
    }
}
