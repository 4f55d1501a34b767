import FluxCore

/// A member in a row.
enum MemberRow {
    /// The columns of `members m`.
    static let columns = """
        m.user_id, m.guild_id, m.nick, m.avatar, m.roles, m.joined_at, m.flags, m.deaf, m.mute, m.pending,
        m.timed_out_until
        """
    static let count = 11

    static func read(_ row: Row, from first: Int = 0) throws(StoreError) -> Member {
        func at(_ offset: Int) -> Column { .position(first + offset) }
        return Member(
            userID: try row.id(at(0)), guildID: try row.id(at(1)), nick: try row.optionalText(at(2)),
            avatar: try row.optionalText(at(3)), roles: try row.ids(at(4)), joinedAt: try row.timestamp(at(5)),
            flags: try row.integer(at(6)), deaf: try row.bool(at(7)), mute: try row.bool(at(8)),
            pending: try row.bool(at(9)), timedOutUntil: try row.optionalTimestamp(at(10)))
    }

    /// Rows of a member followed by its user.
    static func readWithUser(_ row: Row) throws(StoreError) -> GuildMember {
        GuildMember(member: try read(row), user: try UserRow.read(row, from: count))
    }
}
