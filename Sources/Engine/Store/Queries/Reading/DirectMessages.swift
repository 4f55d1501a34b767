import FluxCore

/// A DM or group DM in somebody's list.
public struct DirectMessage: Sendable, Equatable {
    public var channel: Channel
    /// Whether the person's list shows it.
    public var isOpen: Bool

    public init(channel: Channel, isOpen: Bool) {
        self.channel = channel
        self.isOpen = isOpen
    }
}

/// DMs and group DMs: who shares one, and the lists of people.
public struct DirectMessages: Sendable {
    /// The most DMs of one person that one call returns.
    public static let pageLimit = 1_000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// The one DM of two people, made under the id `proposed` if there was none. The answer is its real id.
    ///
    /// Both may ask at once, on two nodes, and neither's actor owns the pair: hence not through a lane. The pair's row
    /// decides, and who comes second waits for the first and gets the same id. The channel is in nobody's list yet.
    public func channel(
        of userID: UserID, and peerID: UserID, proposed: ChannelID
    ) async throws(StoreError) -> ChannelID {
        let (low, high) = userID < peerID ? (userID, peerID) : (peerID, userID)
        if let known = try await existing(low, high) { return known }
        _ = try await database.run(
            Statement(Queries.makePair, [.id(low), .id(high), .id(proposed), .int(ChannelKind.directMessage.rawValue)]))
        guard let made = try await existing(low, high) else { throw .corrupt("a pair without its channel") }
        return made
    }

    /// The DM of two people, if they ever had one.
    public func find(_ userID: UserID, _ peerID: UserID) async throws(StoreError) -> ChannelID? {
        try await existing(min(userID, peerID), max(userID, peerID))
    }

    /// The DMs in a person's list with their heads and recipients, those that are closed too if `closed`.
    public func list(of userID: UserID, closed: Bool = false) async throws(StoreError) -> [DirectMessage] {
        try Self.readAll(try await database.run(Self.statement(of: [userID], closed: closed)))
    }

    static func statement(of userIDs: [UserID], closed: Bool) -> Statement {
        Statement(Queries.list, [.ids(userIDs), .bool(closed), .int(pageLimit)])
    }

    static func readAll(_ rows: some Sequence<Row>) throws(StoreError) -> [DirectMessage] {
        var list: [DirectMessage] = []
        for row in rows {
            list.append(DirectMessage(channel: try ChannelRow.read(row), isOpen: try row.bool("is_open")))
        }
        return list
    }

    /// How far the people of a DM let each other know that they have read.
    public func receipts(in channelID: ChannelID) async throws(StoreError) -> [Receipt] {
        var receipts: [Receipt] = []
        for row in try await database.run(Statement(Queries.receipts, [.id(channelID)])) {
            receipts.append(
                Receipt(
                    channelID: channelID, userID: try row.id(0), messageID: try row.id(1), seq: try row.int(2),
                    readAt: try row.timestamp(3)))
        }
        return receipts
    }

    private func existing(_ low: UserID, _ high: UserID) async throws(StoreError) -> ChannelID? {
        try await database.run(Statement(Queries.pair, [.id(low), .id(high)])).first?.id(0)
    }

    enum Queries {
        /// Whether a person's list shows the conversation of `dm_members d`: it was never closed, or there is a later message.
        static let isOpen = """
            (d.is_open OR EXISTS (SELECT FROM messages WHERE channel_id = d.channel_id AND id > d.closed_after))
            """

        static let pair = PreparedQuery(
            "directMessages.pair",
            "SELECT channel_id FROM dm_pairs WHERE low_user_id = $1 AND high_user_id = $2", [.int8, .int8])

        static let makePair = PreparedQuery(
            "directMessages.makePair",
            """
            WITH made AS (
                INSERT INTO dm_pairs (low_user_id, high_user_id, channel_id) VALUES ($1, $2, $3)
                ON CONFLICT (low_user_id, high_user_id) DO NOTHING RETURNING channel_id
            )
            INSERT INTO channels (id, kind, recipients) SELECT channel_id, $4, ARRAY[$1, $2] FROM made
            """, [.int8, .int8, .int8, .int2], repeatable: true)

        static let list = PreparedQuery.forEach(
            "directMessages.list", order: 1, [.bool, .int4],
            """
            SELECT \(ChannelRow.columns), \(isOpen) AS is_open FROM dm_members d JOIN channels c ON c.id = d.channel_id
                \(ChannelRow.heads)
            WHERE d.user_id = wanted.id AND ($2 OR \(isOpen)) AND c.deleted_at IS NULL ORDER BY d.channel_id
                LIMIT $3
            """)

        static let receipts = PreparedQuery(
            "receipts.list",
            "SELECT user_id, message_id, seq, read_at FROM receipts WHERE channel_id = $1 ORDER BY user_id LIMIT 100",
            [.int8])
    }
}
