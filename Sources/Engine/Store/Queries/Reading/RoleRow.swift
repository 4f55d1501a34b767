import FluxCore

/// A role in a row.
enum RoleRow {
    /// The columns of `roles r`.
    static let columns = """
        r.id, r.guild_id, r.name, r.permissions, r.color, r.secondary_color, r.tertiary_color, r.position, r.hoist,
        r.managed, r.mentionable, r.icon, r.unicode_emoji, r.bot_id
        """

    static func read(_ row: Row) throws(StoreError) -> Role {
        Role(
            id: try row.id(0), guildID: try row.id(1), name: try row.text(2),
            permissions: Permissions(rawValue: UInt64(bitPattern: try row.int(3))), color: try row.integer(4),
            secondaryColor: try row.optionalInt(5).map { Int($0) },
            tertiaryColor: try row.optionalInt(6).map { Int($0) },
            position: try row.integer(7), hoist: try row.bool(8), managed: try row.bool(9),
            mentionable: try row.bool(10), icon: try row.optionalText(11), unicodeEmoji: try row.optionalText(12),
            botID: try row.optionalID(13))
    }
}
