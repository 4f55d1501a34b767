import FluxCore

/// A read state as it is stored.
public struct StoredReadState: Sendable, Equatable {
    /// Its mention count is what was marked by hand and what has been counted since, together.
    public var state: ReadState
    /// The part of the count that was marked by hand.
    public var markedCount: Int
    public var version: Int64
    /// Where the channel itself stands.
    public var head: LogHead
    public var lastPinAt: Timestamp?

    public init(
        state: ReadState, markedCount: Int, version: Int64, head: LogHead = LogHead(), lastPinAt: Timestamp? = nil
    ) {
        self.state = state
        self.markedCount = markedCount
        self.version = version
        self.head = head
        self.lastPinAt = lastPinAt
    }
}

/// Reads of read states. Mentions are stored once, in the message, and counted here.
public struct ReadStates: Sendable {
    /// The most read states that one call returns.
    public static let pageLimit = 20_000
    /// Where counting stops in one channel; clients show less.
    public static let countLimit = 1_000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// All of a person's read states with their mention counts, and one for each open DM that was never read.
    ///
    /// In a guild a message counts that mentions the person, one of the person's roles there, or everyone; in a DM every
    /// one does; one's own never do.
    public func list(of userID: UserID) async throws(StoreError) -> [StoredReadState] {
        try Self.readAll(try await database.run(Self.statement(of: [userID])), of: userID)
    }

    static func statement(of userIDs: [UserID]) -> Statement {
        Statement(Queries.list, [.ids(userIDs), .int(countLimit), .int(pageLimit)])
    }

    static func readAll(_ rows: some Collection<Row>, of userID: UserID) throws(StoreError) -> [StoredReadState] {
        var states: [StoredReadState] = []
        states.reserveCapacity(rows.count)
        for row in rows {
            let marked: Int = try row.integer(2)
            let counted: Int = try row.integer(4)
            let lastMessageID = try row.id(1)
            states.append(
                StoredReadState(
                    state: ReadState(
                        userID: userID, channelID: try row.id(0), lastMessageID: lastMessageID,
                        mentionCount: marked + counted, updatedAt: lastMessageID.timestamp),
                    markedCount: marked, version: try row.int(3), head: try LogHead.read(row, from: 5),
                    lastPinAt: try row.optionalTimestamp(13)))
        }
        return states
    }

    enum Queries {
        // The condition on mentions is the index's own, word for word; the index holds only such messages.
        static let list = PreparedQuery.forEach(
            "readStates.list", order: 1, [.int4, .int4],
            """
            WITH known AS (
                SELECT channel_id, last_message_id, mention_count, version FROM read_states WHERE user_id = wanted.id
                UNION ALL
                SELECT d.channel_id, 0, 0, 0 FROM dm_members d
                WHERE d.user_id = wanted.id AND \(DirectMessages.Queries.isOpen)
                    AND NOT EXISTS (SELECT FROM read_states r WHERE r.user_id = wanted.id AND r.channel_id = d.channel_id)
            )
            SELECT k.channel_id, k.last_message_id, k.mention_count, k.version,
                CASE WHEN c.guild_id IS NULL THEN (
                    SELECT count(*) FROM (
                        SELECT FROM messages m
                        WHERE m.channel_id = k.channel_id AND m.id > k.last_message_id AND m.author_id <> wanted.id
                            AND m.deleted_seq IS NULL
                        LIMIT $2) direct)
                ELSE (
                    SELECT count(*) FROM (
                        SELECT FROM messages m
                        WHERE m.channel_id = k.channel_id AND m.id > k.last_message_id AND m.author_id <> wanted.id
                            AND (m.mention_everyone OR m.mentions IS NOT NULL OR m.mention_roles IS NOT NULL)
                            AND (m.mention_everyone OR wanted.id = ANY (m.mentions) OR m.mention_roles && member.roles)
                        LIMIT $2) mentioning)
                END,
                newest.id, newest.seq, newest.epoch, logged.seq, logged.epoch, f.last_message_id, f.seq, f.epoch,
                c.last_pin_at
            FROM known k JOIN channels c ON c.id = k.channel_id AND c.deleted_at IS NULL
            \(ChannelRow.heads)
            LEFT JOIN members member ON member.guild_id = c.guild_id AND member.user_id = wanted.id
            WHERE c.guild_id IS NULL OR member.user_id IS NOT NULL
            ORDER BY k.channel_id LIMIT $3
            """)
    }
}
