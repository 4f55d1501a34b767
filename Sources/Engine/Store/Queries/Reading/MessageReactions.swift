import FluxCore

/// One emoji on a message and everybody who put it there.
public struct ReactionSet: Sendable, Equatable {
    public var emoji: Emoji
    /// Ascending.
    public var userIDs: [UserID]

    public init(emoji: Emoji, userIDs: [UserID]) {
        self.emoji = emoji
        self.userIDs = userIDs
    }
}

/// Reads of reactions.
public struct MessageReactions: Sendable {
    /// The most messages or people that one call speaks of.
    public static let pageLimit = 100
    /// The most reactions of one message that an owner holds.
    public static let setLimit = 100_000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// The counts on each of at most `pageLimit` messages, in the order in which the emoji came, and whether `viewer` is
    /// among them. Messages without reactions are missing in the answer.
    public func counts(
        of messageIDs: [MessageID], in channelID: ChannelID, viewer: UserID
    ) async throws(StoreError) -> [MessageID: [ReactionCount]] {
        guard !messageIDs.isEmpty else { return [:] }
        let rows = try await database.run(
            Statement(
                Queries.counts, [.id(channelID), .ids(messageIDs.prefix(Self.pageLimit)), .id(viewer)]))
        var counts: [MessageID: [ReactionCount]] = [:]
        for row in rows {
            counts[try row.id(0), default: []].append(
                ReactionCount(
                    emoji: emoji(try row.text(1), animated: try row.bool(2)), count: try row.integer(3),
                    me: try row.bool(4)))
        }
        return counts
    }

    /// Who put one emoji (`Emoji.key`) on a message: ids above `after`, ascending.
    public func users(
        of messageID: MessageID, in channelID: ChannelID, emoji: String, after: UserID = Snowflake(0), limit: Int
    ) async throws(StoreError) -> [User] {
        let rows = try await database.run(
            Statement(
                Queries.users,
                [
                    .id(channelID), .id(messageID), .text(emoji), .id(after),
                    .int(max(0, min(limit, Self.pageLimit))),
                ]))
        return try UserRow.readAll(rows)
    }

    /// Every reaction of one message, in the order in which the emoji came; of more than `setLimit` the first ones.
    public func all(of messageID: MessageID, in channelID: ChannelID) async throws(StoreError) -> [ReactionSet] {
        let rows = try await database.run(
            Statement(Queries.all, [.id(channelID), .id(messageID), .int(Self.setLimit)]))
        var sets: [(first: Int64, set: ReactionSet)] = []
        for row in rows {
            let emoji = emoji(try row.text(0), animated: try row.bool(1))
            let seq = try row.int(3)
            // Rows come by emoji and user, so those of one emoji are neighbours.
            if let last = sets.indices.last, sets[last].set.emoji.key == emoji.key {
                sets[last].set.userIDs.append(try row.id(2))
                sets[last].first = min(sets[last].first, seq)
            } else {
                sets.append((seq, ReactionSet(emoji: emoji, userIDs: [try row.id(2)])))
            }
        }
        return sets.sorted { $0.first < $1.first }.map(\.set)
    }

    /// Which of these reactions in one channel are there.
    public func standing(of keys: [ReactionFold.Key], in channelID: ChannelID) async throws(StoreError)
        -> Set<ReactionFold.Key>
    {
        guard !keys.isEmpty else { return [] }
        let rows = try await database.run(
            Statement(
                Queries.standing,
                [
                    .id(channelID), .ids(keys.map(\.messageID)), .ids(keys.map(\.userID)),
                    .textArray(keys.map(\.emoji)),
                ]))
        var standing: Set<ReactionFold.Key> = []
        for row in rows {
            standing.insert(
                ReactionFold.Key(
                    channelID: channelID, messageID: try row.id(0), userID: try row.id(1), emoji: try row.text(2)))
        }
        return standing
    }

    private func emoji(_ key: String, animated: Bool) -> Emoji {
        var emoji = Emoji(key: key) ?? Emoji(id: nil, name: key)
        emoji.animated = animated
        return emoji
    }

    enum Queries {
        static let counts = PreparedQuery(
            "reactions.counts",
            """
            SELECT message_id, emoji, bool_or(emoji_animated), count(*), bool_or(user_id = $3) FROM reactions
            WHERE channel_id = $1 AND message_id = ANY ($2)
            GROUP BY message_id, emoji ORDER BY message_id, min(seq) LIMIT 10000
            """, [.int8, .int8Array, .int8])

        static let users = PreparedQuery(
            "reactions.users",
            """
            SELECT \(UserRow.columns) FROM reactions r JOIN users u ON u.id = r.user_id
            WHERE r.channel_id = $1 AND r.message_id = $2 AND r.emoji = $3 AND r.user_id > $4
            ORDER BY r.user_id LIMIT $5
            """, [.int8, .int8, .text, .int8, .int4])

        static let standing = PreparedQuery(
            "reactions.standing",
            """
            SELECT asked.message_id, asked.user_id, asked.emoji
            FROM unnest($2, $3, $4) AS asked (message_id, user_id, emoji)
            CROSS JOIN LATERAL (
                SELECT FROM reactions WHERE channel_id = $1 AND message_id = asked.message_id
                    AND emoji = asked.emoji AND user_id = asked.user_id LIMIT 1) AS found
            """, [.int8, .int8Array, .int8Array, .textArray])

        static let all = PreparedQuery(
            "reactions.all",
            """
            SELECT emoji, emoji_animated, user_id, seq FROM reactions WHERE channel_id = $1 AND message_id = $2
            ORDER BY emoji, user_id LIMIT $3
            """, [.int8, .int8, .int4])
    }
}
