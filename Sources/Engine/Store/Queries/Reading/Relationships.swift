import FluxCore

/// One side of a relationship as it is stored, with the account of the other one.
public struct StoredRelationship: Sendable, Equatable {
    public var relationship: Relationship
    /// The request by which the two are bound; 0 where there is none.
    public var bond: Snowflake
    public var peer: User
}

/// Reads of relationships, each from the side of one person.
public struct Relationships: Sendable {
    /// The most relationships that one call returns; a person may have 1,000 friends and as many of the others.
    public static let pageLimit = 5_000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// All of a person's relationships, by the other one's id.
    public func list(of userID: UserID) async throws(StoreError) -> [StoredRelationship] {
        try Self.readAll(try await database.run(Statement(Queries.list, [.id(userID), .int(Self.pageLimit)])))
    }

    /// What somebody is to a person, from that person's side.
    public func find(of userID: UserID, with peerID: UserID) async throws(StoreError) -> StoredRelationship? {
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
        var notes: [UserID: String] = [:]
        for row in try await database.run(Statement(Queries.notes, [.id(userID), .int(Self.pageLimit)])) {
            notes[try row.id(0)] = try row.text(1)
        }
        return notes
    }

    private static func readAll(_ rows: Rows) throws(StoreError) -> [StoredRelationship] {
        var relationships: [StoredRelationship] = []
        for row in rows {
            let rawKind: Int = try row.integer(2)
            guard let kind = Relationship.Kind(rawValue: rawKind) else {
                throw .corrupt("relationship of kind \(rawKind)")
            }
            relationships.append(
                StoredRelationship(
                    relationship: Relationship(
                        userID: try row.id(0), peerID: try row.id(1), kind: kind, nickname: try row.optionalText(5),
                        since: try row.timestamp(4)),
                    bond: try row.id(3), peer: try UserRow.read(row, from: 6)))
        }
        return relationships
    }

    enum Queries {
        static let columns = "r.user_id, r.other_id, r.kind, r.bond, r.since, r.nickname, \(UserRow.columns)"

        static let list = PreparedQuery(
            "relationships.list",
            """
            SELECT \(columns) FROM relationships r JOIN users u ON u.id = r.other_id
            WHERE r.user_id = $1 ORDER BY r.other_id LIMIT $2
            """, [.int8, .int4])

        static let find = PreparedQuery(
            "relationships.find",
            """
            SELECT \(columns) FROM relationships r JOIN users u ON u.id = r.other_id
            WHERE r.user_id = $1 AND r.other_id = $2
            """, [.int8, .int8])

        static let mutualFriends = PreparedQuery(
            "relationships.mutualFriends",
            """
            SELECT \(UserRow.columns) FROM relationships a
                JOIN relationships b ON b.other_id = a.other_id AND b.user_id = $2 AND b.kind = 1
                JOIN users u ON u.id = a.other_id
            WHERE a.user_id = $1 AND a.kind = 1 ORDER BY a.other_id LIMIT $3
            """, [.int8, .int8, .int4])

        static let notes = PreparedQuery(
            "notes.list", "SELECT other_id, note FROM notes WHERE user_id = $1 LIMIT $2", [.int8, .int4])
    }
}
