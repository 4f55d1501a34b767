import FluxCore

/// What makes provisioning repeatable: finding what an earlier call has made, and logins for all.
extension Provision {
    /// The accounts of those names that exist.
    public func people(named usernames: [String]) async throws(StoreError) -> [String: UserID] {
        var found: [String: UserID] = [:]
        for piece in pieces(usernames) {
            for row in try await database.run(Statement(RepeatingQueries.people, [.textArray(Array(piece))])) {
                found[try row.text(1)] = try row.id(0)
            }
        }
        return found
    }

    /// The guilds that stand, by owner and name; of several the oldest.
    public func guilds(_ wanted: [(owner: UserID, name: String)]) async throws(StoreError) -> [String: GuildID] {
        var found: [String: GuildID] = [:]
        for piece in pieces(wanted) {
            let statement = Statement(
                RepeatingQueries.guilds, [.ids(piece.map(\.owner)), .textArray(piece.map(\.name))])
            for row in try await database.run(statement) {
                found[try row.text(1)] = try row.id(0)
            }
        }
        return found
    }

    /// The text channels of guilds, each guild's by growing id.
    public func textChannels(of guilds: [GuildID]) async throws(StoreError) -> [GuildID: [ChannelID]] {
        var found: [GuildID: [ChannelID]] = [:]
        for piece in pieces(guilds) {
            for row in try await database.run(Statement(RepeatingQueries.channels, [.ids(Array(piece))])) {
                found[try row.id(1), default: []].append(try row.id(0))
            }
        }
        return found
    }

    /// Begins a login of each of these people, so that their access tokens belong to one that can be ended.
    public func insert(logins: [(id: LoginID, userID: UserID)], at now: Timestamp) async throws(StoreError) {
        for piece in pieces(logins) {
            try await database.run(
                Statement(
                    RepeatingQueries.logins,
                    [.ids(piece.map(\.id)), .ids(piece.map(\.userID)), .timestamp(now)]))
        }
    }

    private func pieces<Element>(_ elements: [Element]) -> [ArraySlice<Element>] {
        stride(from: 0, to: elements.count, by: Self.pieceSize).map { start in
            elements[start..<min(start + Self.pieceSize, elements.count)]
        }
    }
}

private enum RepeatingQueries {
    static let people = PreparedQuery(
        "provision.people", "SELECT id, username FROM users WHERE username = ANY ($1) AND NOT is_bot", [.textArray])

    static let guilds = PreparedQuery(
        "provision.guilds",
        """
        SELECT min(g.id), g.name FROM guilds g
        JOIN unnest($1, $2) AS wanted (owner_id, name) ON g.owner_id = wanted.owner_id AND g.name = wanted.name
        WHERE g.deleted_at IS NULL GROUP BY g.owner_id, g.name
        """, [.int8Array, .textArray])

    static let channels = PreparedQuery(
        "provision.channels",
        """
        SELECT id, guild_id FROM channels WHERE guild_id = ANY ($1) AND kind = 0 AND deleted_at IS NULL
        ORDER BY guild_id, id
        """, [.int8Array])

    static let logins = PreparedQuery(
        "provision.logins",
        """
        INSERT INTO logins (id, user_id, created_at, last_used_at, client_info)
        SELECT id, user_id, $3, $3, 'provisioned' FROM unnest($1, $2) AS new (id, user_id)
        """, [.int8Array, .int8Array, .timestamptz])
}
