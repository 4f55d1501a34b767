import FluxCore

/// Reads of people's settings: JSON objects in UTF-8.
public struct Settings: Sendable {
    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// A person's settings, or nil if none were ever set.
    public func find(of userID: UserID) async throws(StoreError) -> [UInt8]? {
        try Self.read(try await database.run(Self.statement(of: [userID])))
    }

    /// A person's settings by guild, at most 1,000.
    public func guilds(of userID: UserID) async throws(StoreError) -> [GuildID: [UInt8]] {
        try Self.readGuilds(try await database.run(Self.guildsStatement(of: [userID])))
    }

    static func statement(of userIDs: [UserID]) -> Statement { Statement(Queries.find, [.ids(userIDs)]) }
    static func guildsStatement(of userIDs: [UserID]) -> Statement { Statement(Queries.guilds, [.ids(userIDs)]) }

    static func read(_ rows: some Collection<Row>) throws(StoreError) -> [UInt8]? { try rows.first?.bytes(0) }

    static func readGuilds(_ rows: some Sequence<Row>) throws(StoreError) -> [GuildID: [UInt8]] {
        var settings: [GuildID: [UInt8]] = [:]
        for row in rows { settings[try row.id(0)] = try row.bytes(1) }
        return settings
    }

    enum Queries {
        static let find = PreparedQuery(
            "settings.find", "SELECT settings, user_id AS wanted_id FROM user_settings WHERE user_id = ANY ($1)",
            [.int8Array])

        static let guilds = PreparedQuery.forEach(
            "settings.guilds", order: 1, [],
            "SELECT guild_id, settings FROM user_guild_settings WHERE user_id = wanted.id ORDER BY guild_id LIMIT 1000")
    }
}
