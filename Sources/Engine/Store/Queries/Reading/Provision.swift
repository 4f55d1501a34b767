import FluxCore

/// Makes many accounts and guilds at once, for imports and load tests: one statement a piece of `pieceSize` rows.
///
/// Everything must be new and must not be served yet: what is written here passes no owner.
public struct Provision: Sendable {
    /// Rows in one statement: enough to forget the round trip, few enough that a lock is held for milliseconds.
    public static let pieceSize = 1_000

    let database: Database

    public init(_ database: Database) { self.database = database }

    /// Makes accounts. All get the same password hash, or none: then they sign in by tokens alone.
    public func insert(users: [User], passwordHash: String? = nil) async throws(StoreError) {
        try await inPieces(users) { piece in
            var statements = [
                Statement(
                    Queries.users,
                    [
                        .ids(piece.map(\.id)), .textArray(piece.map(\.username)),
                        .textArray(piece.map(\.discriminator)),
                        .textArray(piece.map(\.globalName)), .boolArray(piece.map(\.isBot)),
                        .textArray(piece.map(\.email)), .textArray(piece.map(\.locale)),
                        .timestampArray(piece.map(\.createdAt)),
                    ])
            ]
            if let passwordHash {
                statements.append(
                    Statement(Queries.passwords, [.ids(piece.map(\.id)), .text(passwordHash)]))
            }
            return statements
        }
    }

    /// Makes guilds with their roles and channels, without overwrites. Members are `insert(members:)`.
    public func insert(guilds: [Guild], roles: [Role], channels: [Channel]) async throws(StoreError) {
        try await inPieces(guilds) { $0.map(Statement.insertGuild) }
        try await inPieces(roles) { $0.map(Statement.insertRole) }
        try await inPieces(channels) { $0.map(Statement.insertChannel) }
    }

    /// Makes members.
    public func insert(members: [Member]) async throws(StoreError) {
        try await inPieces(members) { piece in
            [
                Statement(
                    Queries.members,
                    [
                        .ids(piece.map(\.guildID)), .ids(piece.map(\.userID)),
                        .textArray(piece.map { "{" + $0.roles.map(\.description).joined(separator: ",") + "}" }),
                        .timestampArray(piece.map(\.joinedAt)), .textArray(piece.map(\.nick)),
                    ])
            ]
        }
    }

    private func inPieces<Element: Sendable>(
        _ elements: [Element], _ statements: (ArraySlice<Element>) -> [Statement]
    ) async throws(StoreError) {
        var start = 0
        while start < elements.count {
            let end = min(start + Self.pieceSize, elements.count)
            _ = try await database.transaction(statements(elements[start..<end]))
            start = end
        }
    }

    enum Queries {
        static let users = PreparedQuery(
            "provision.users",
            """
            INSERT INTO users (id, username, discriminator, global_name, is_bot, email, locale, created_at)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
            """,
            [
                .int8Array, .textArray, .textArray, .textArray, .boolArray, .textArray, .textArray, .timestamptzArray,
            ])

        static let passwords = PreparedQuery(
            "provision.passwords",
            "INSERT INTO passwords (user_id, hash, changed_at) SELECT id, $2, now() FROM unnest($1) AS new (id)",
            [.int8Array, .text])

        static let members = PreparedQuery(
            "provision.members",
            """
            INSERT INTO members (guild_id, user_id, roles, joined_at, nick)
            SELECT guild_id, user_id, roles::bigint[], joined_at, nick
            FROM unnest($1, $2, $3, $4, $5) AS new (guild_id, user_id, roles, joined_at, nick)
            """, [.int8Array, .int8Array, .textArray, .timestamptzArray, .textArray])
    }
}
