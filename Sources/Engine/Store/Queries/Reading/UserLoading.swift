import FluxCore

/// Loads what belongs to accounts, of many at once: one round trip, however many they are, so that sessions that come back by
/// the thousand cost queries by the dozen (design 8).
public struct UserLoading: Sendable {
    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// The account with what belongs to it, without what waits in the outbox; nil if there is none.
    public func load(_ id: UserID) async throws(StoreError) -> LoadedUser? { try await load([id], outboxKind: 0)[id] }

    /// The accounts, each with what belongs to it; those that do not exist are missing. Ids that differ.
    /// - Parameter outboxKind: what stands for a user in the outbox's entries.
    public func load(_ ids: [UserID], outboxKind: UInt8) async throws(StoreError) -> [UserID: LoadedUser] {
        let answers = try await database.transaction([
            Statement(Users.Queries.batch, [.ids(ids)]),
            Relationships.statement(of: ids), DirectMessages.statement(of: ids, closed: true),
            ReadStates.statement(of: ids), Settings.statement(of: ids), Settings.guildsStatement(of: ids),
            Relationships.notesStatement(of: ids), Memberships.statement(of: ids),
            Outbox.statement(of: ids, kind: outboxKind),
        ])
        let relationships = try answers[1].byWanted()
        let directMessages = try answers[2].byWanted()
        let readStates = try answers[3].byWanted()
        let settings = try answers[4].byWanted()
        let guildSettings = try answers[5].byWanted()
        let notes = try answers[6].byWanted()
        let guilds = try answers[7].byWanted()
        let outbox = try answers[8].byWanted()
        var loaded: [UserID: LoadedUser] = [:]
        for user in try UserRow.readAll(answers[0]) {
            let id = user.id
            var guildIDs: [GuildID] = []
            for row in guilds[id] ?? [] { guildIDs.append(try row.id(0)) }
            loaded[id] = LoadedUser(
                user: user, relationships: try Relationships.readAll(relationships[id] ?? []),
                directMessages: try DirectMessages.readAll(directMessages[id] ?? []),
                readStates: try ReadStates.readAll(readStates[id] ?? [], of: id),
                settings: try Settings.read(settings[id] ?? []),
                guildSettings: try Settings.readGuilds(guildSettings[id] ?? []),
                notes: try Relationships.readNotes(notes[id] ?? []), guildIDs: guildIDs,
                outbox: try Outbox.readAll(outbox[id] ?? []))
        }
        return loaded
    }

    /// The conversations of people with where their logs stand, those that are closed too; of everybody who was asked for.
    public func directMessages(_ ids: [UserID]) async throws(StoreError) -> [UserID: [DirectMessage]] {
        let answers = try await database.transaction([DirectMessages.statement(of: ids, closed: true)])
        let rows = try answers[0].byWanted()
        var lists: [UserID: [DirectMessage]] = [:]
        for id in ids { lists[id] = try DirectMessages.readAll(rows[id] ?? []) }
        return lists
    }

    /// What sessions that open need and actors do not know; of everybody who was asked for.
    /// - Parameter outboxKind: what stands for a user in the outbox's entries.
    public func readyParts(_ ids: [UserID], outboxKind: UInt8) async throws(StoreError) -> [UserID: ReadyParts] {
        let answers = try await database.transaction([
            DirectMessages.statement(of: ids, closed: false), ReadStates.statement(of: ids),
            Outbox.statement(of: ids, kind: outboxKind),
        ])
        let (directMessages, readStates) = (try answers[0].byWanted(), try answers[1].byWanted())
        let outbox = try answers[2].byWanted()
        var parts: [UserID: ReadyParts] = [:]
        for id in ids {
            parts[id] = ReadyParts(
                directMessages: try DirectMessages.readAll(directMessages[id] ?? []),
                readStates: try ReadStates.readAll(readStates[id] ?? [], of: id),
                outbox: try Outbox.readAll(outbox[id] ?? []))
        }
        return parts
    }
}
