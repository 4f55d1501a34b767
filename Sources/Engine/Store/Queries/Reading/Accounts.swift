import FluxCore

/// Accounts of people: registering, and what a login needs. Not on any lane: a new id has no owner yet, and the unique
/// name decides between two who want it.
public struct Accounts: Sendable {
    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// Makes a person's account. A taken name is `StoreError.constraint(name: "users_username_key")`, a taken address
    /// `users_email_key`; nothing is stored then.
    public func register(_ user: User, passwordHash: String) async throws(StoreError) {
        _ = try await database.transaction([
            .insertUser(user),
            Statement(
                Queries.insertPassword, [.id(user.id), .text(passwordHash), .timestamp(user.createdAt)]),
        ])
    }

    /// The account and its password's hash for a name or, with an `@` in it, an address, in any case. Nil if there is
    /// none, if it has no password, or if it is a bot's.
    public func credentials(login: String) async throws(StoreError) -> (user: User, passwordHash: String)? {
        let query = login.contains("@") ? Queries.byEmail : Queries.byUsername
        guard let row = try await database.run(Statement(query, [.text(login.lowercased())])).first else { return nil }
        return (try UserRow.read(row), try row.text(.position(UserRow.count)))
    }

    /// The hash of somebody's password, for questions that ask for it again.
    public func passwordHash(of userID: UserID) async throws(StoreError) -> String? {
        try await database.run(Statement(Queries.passwordHash, [.id(userID)])).first?.text(0)
    }

    /// A new password.
    public func setPassword(hash: String, of userID: UserID, at now: Timestamp) async throws(StoreError) {
        try await database.run(Statement(Queries.setPassword, [.id(userID), .text(hash), .timestamp(now)]))
    }

    enum Queries {
        static let insertPassword = PreparedQuery(
            "passwords.insert", "INSERT INTO passwords (user_id, hash, changed_at) VALUES ($1, $2, $3)",
            [.int8, .text, .timestamptz])

        static let byUsername = PreparedQuery(
            "accounts.byUsername",
            """
            SELECT \(UserRow.columns), p.hash FROM users u JOIN passwords p ON p.user_id = u.id
            WHERE u.username = $1 AND NOT u.is_bot LIMIT 1
            """, [.text])

        static let byEmail = PreparedQuery(
            "accounts.byEmail",
            """
            SELECT \(UserRow.columns), p.hash FROM users u JOIN passwords p ON p.user_id = u.id
            WHERE lower(u.email) = $1 AND u.email IS NOT NULL AND NOT u.is_bot LIMIT 1
            """, [.text])

        static let passwordHash = PreparedQuery(
            "passwords.hash", "SELECT hash FROM passwords WHERE user_id = $1", [.int8])

        static let setPassword = PreparedQuery(
            "passwords.set",
            """
            INSERT INTO passwords (user_id, hash, changed_at) VALUES ($1, $2, $3)
            ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at
            """, [.int8, .text, .timestamptz])
    }
}

extension Statement {
    /// A new account, a person's or a bot's.
    public static func insertUser(_ user: User) -> Statement {
        Statement(
            insertUserQuery,
            [
                .id(user.id), .text(user.username), .text(user.discriminator), .text(user.globalName),
                .text(user.avatar), .text(user.banner), .int(user.accentColor), .text(user.bio), .text(user.pronouns),
                .bool(user.isBot), .int(user.publicFlags), .text(user.email), .text(user.locale),
                .timestamp(user.createdAt),
            ])
    }

    private static let insertUserQuery = PreparedQuery(
        "users.insert",
        """
        INSERT INTO users (id, username, discriminator, global_name, avatar, banner, accent_color, bio, pronouns, is_bot,
            public_flags, email, locale, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """,
        [
            .int8, .text, .text, .text, .text, .text, .int4, .text, .text, .bool, .int4, .text, .text, .timestamptz,
        ])
}
