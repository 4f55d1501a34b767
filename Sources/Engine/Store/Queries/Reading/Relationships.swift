import FluxCore

/// Reads of relationships, each from the side of one person.
public struct Relationships: Sendable {
    /// The most relationships that one call returns; a person may
    /// have 1,000 friends and as many of the others.
    public static let pageLimit = 5_000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// All of a person's relationships, by the other one's id, those that are over among them.
    public func list(of userID: UserID) async throws(StoreError) -> [RelationshipSide] {
        try Self.readAll(try await database.run(Self.statement(of: [userID])))
    }

    /// What somebody is to a person, from that person's side.
    public func find(of userID: UserID, with peerID: UserID) async throws(StoreError) -> RelationshipSide? {
        try Self.readAll(try await database.run(Statement(Queries.find, [.id(userID), .id(peerID)]))).first
    }

    /// The friends that both have, by id, at most `limit`.
    public func mutualFriends(_ userID: UserID, _ otherID: UserID, limit: Int = 1_000) async throws(StoreError)
        -> [User]
    {
        try UserRow.readAll(
            await database.run(
                Statement(Queries.mutualFriends, [.id(userID), .id(otherID), .int(max(0, min(limit, 1_000)))])))
    }

    /// The person's notes on others, at most `pageLimit`.
    public func notes(of userID: UserID) async throws(StoreError) -> [UserID: String] {
        try Self.readNotes(try await database.run(Self.notesStatement(of: [userID])))
    }

    static func statement(of userIDs: [UserID]) -> Statement {
        Statement(Queries.list, [.ids(userIDs), .int(pageLimit)])
    }

    static func notesStatement(of userIDs: [UserID]) -> Statement {
        Statement(Queries.notes, [.ids(userIDs), .int(pageLimit)])
    }

    static func readNotes(_ rows: some Sequence<Row>) throws(StoreError) -> [UserID: String] {
        var notes: [UserID: String] = [:]
        for row in rows { notes[try row.id(0)] = try row.text(1) }
        return notes
    }

    static func readAll(_ rows: some Sequence<Row>) throws(StoreError) -> [RelationshipSide] {
        var sides: [RelationshipSide] = []
        for row in rows {
            let kind: Int = try row.integer(2)
            guard kind == 0 || Relationship.Kind(rawValue: kind) != nil else {
                throw .corrupt("relationship of kind \(kind)")
            }
            sides.append(
                RelationshipSide(
                    userID: try row.id(0), peerID: try row.id(1), kind: Relationship.Kind(rawValue: kind),
                    nickname: try row.optionalText(4), since: try row.timestamp(3), own: try half(row, from: 5),
                    peer: try half(row, from: 9)))
        }
        return sides
    }

    private static func half(_ row: Row, from first: Int) throws(StoreError) -> RelationshipHalf {
        RelationshipHalf(
            version: try row.id(.position(first)), want: try row.id(.position(first + 1)),
            dismissed: try row.id(.position(first + 2)), blocks: try row.bool(.position(first + 3)))
    }

    enum Queries {
        static let columns = """
            user_id, other_id, kind, since, nickname, own_version, own_want, own_dismissed, own_blocks, peer_version,
            peer_want, peer_dismissed, peer_blocks
            """

        static let list = PreparedQuery.forEach(
            "relationships.list", order: 2, [.int4],
            "SELECT \(columns) FROM relationships WHERE user_id = wanted.id ORDER BY other_id LIMIT $2")

        static let find = PreparedQuery(
            "relationships.find",
            "SELECT \(columns) FROM relationships WHERE user_id = $1 AND other_id = $2", [.int8, .int8])

        static let mutualFriends = PreparedQuery(
            "relationships.mutualFriends",
            """
            SELECT \(UserRow.columns) FROM relationships a
                JOIN relationships b ON b.other_id = a.other_id AND b.user_id = $2 AND b.kind = 1
                JOIN users u ON u.id = a.other_id
            WHERE a.user_id = $1 AND a.kind = 1 ORDER BY a.other_id LIMIT $3
            """, [.int8, .int8, .int4])

        static let notes = PreparedQuery.forEach(
            "notes.list", order: 1, [.int4], "SELECT other_id, note FROM notes WHERE user_id = wanted.id LIMIT $2")
    }
}
