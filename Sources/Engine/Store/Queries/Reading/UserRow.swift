import FluxCore

/// A user in a row: its columns and how to read them. Read by position, because pages of members hold thousands.
enum UserRow {
    /// The columns of `users u`.
    static let columns = """
        u.id, u.username, u.discriminator, u.global_name, u.avatar, u.banner, u.accent_color, u.bio, u.pronouns, u.is_bot,
        u.public_flags, u.email, u.locale, u.created_at
        """
    static let count = 14

    /// The user whose columns begin at position `first`.
    static func read(_ row: Row, from first: Int = 0) throws(StoreError) -> User {
        func at(_ offset: Int) -> Column { .position(first + offset) }
        return User(
            id: try row.id(at(0)), username: try row.text(at(1)), discriminator: try row.text(at(2)),
            globalName: try row.optionalText(at(3)), avatar: try row.optionalText(at(4)),
            banner: try row.optionalText(at(5)), accentColor: try row.optionalInt(at(6)).map { Int($0) },
            bio: try row.text(at(7)), pronouns: try row.text(at(8)), isBot: try row.bool(at(9)),
            publicFlags: try row.integer(at(10)), email: try row.optionalText(at(11)), locale: try row.text(at(12)),
            createdAt: try row.timestamp(at(13)))
    }

    /// Every row as a user.
    static func readAll(_ rows: Rows) throws(StoreError) -> [User] {
        var users: [User] = []
        users.reserveCapacity(rows.count)
        for row in rows { users.append(try read(row)) }
        return users
    }
}
