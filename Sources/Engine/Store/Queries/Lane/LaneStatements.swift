import FluxCore

/// The set-based statements of a lane's batch: one statement for all changes of a kind, its rows as arrays.
///
/// Order within a batch: `insertMessages`, `updateMessages`, `deleteMessages` with `deleteReactionsOfMessages`,
/// `clearReactions`, `removeReactions`, `addReactions` (folded by `ReactionFold`), `appendLog`. Any sequence of changes
/// can be brought into it: a message is created before it is edited and never edited after its deletion.
///
/// Each is harmless when the same batch comes twice (the lane's fence prevents that already). What is no repetition is
/// refused: another row under the same (channel_id, id), another log entry under the same (channel_id, seq), and a
/// second message with a seq that is taken.
public enum LaneStatements {
    /// New messages. A row that is there already must have the same seq and epoch, else `messages_conflict`; a seq that
    /// another message has is a violation of that partition's `…_channel_id_seq_key`.
    public static func insertMessages(_ rows: [MessageRow]) -> Statement {
        let messages = rows.map(\.message)
        return Statement(
            insertMessagesQuery,
            [
                .ids(messages.map(\.channelID)), .ids(messages.map(\.id)), .intArray(messages.map(\.seq)),
                .intArray(messages.map(\.epoch)), .ids(messages.map(\.authorID)),
                .intArray(messages.map { Int64($0.flags) }), .intArray(messages.map { Int64($0.kind.rawValue) }),
                .boolArray(messages.map(\.tts)), .boolArray(messages.map(\.mentionEveryone)),
                .textArray(messages.map(\.content)), .textArray(messages.map(nonce)),
                .textArray(messages.map { arrayLiteral($0.mentions) }),
                .textArray(messages.map { arrayLiteral($0.mentionRoles) }),
                .bytesArray(messages.map(MessageExtras.encode)), .timestampArray(messages.map(\.editedAt)),
                .optionalIntArray(rows.map { $0.idempotencyKey.map(Int64.init(bitPattern:)) }),
            ])
    }

    /// The whole new state of messages, but for what never changes and for pins, which have statements of their own.
    /// Of several states of one message in `rows` the last one is written; a deleted message stays deleted.
    public static func updateMessages(_ rows: [MessageRow]) -> Statement {
        let messages = lastOfEach(rows.map(\.message))
        return Statement(
            updateMessagesQuery,
            [
                .ids(messages.map(\.channelID)), .ids(messages.map(\.id)),
                .intArray(messages.map { Int64($0.flags) }), .boolArray(messages.map(\.mentionEveryone)),
                .textArray(messages.map(\.content)), .textArray(messages.map { arrayLiteral($0.mentions) }),
                .textArray(messages.map { arrayLiteral($0.mentionRoles) }),
                .bytesArray(messages.map(MessageExtras.encode)), .timestampArray(messages.map(\.editedAt)),
            ])
    }

    /// Messages become tombstones: they keep id, seq, epoch, author and nonce, and lose what they said.
    public static func deleteMessages(_ deletions: [MessageDeletion]) -> Statement {
        Statement(
            deleteMessagesQuery,
            [
                .ids(deletions.map(\.channelID)), .ids(deletions.map(\.messageID)), .intArray(deletions.map(\.seq)),
            ])
    }

    /// What goes with `deleteMessages`.
    public static func deleteReactionsOfMessages(_ deletions: [MessageDeletion]) -> Statement {
        Statement(
            clearReactionsQuery,
            [
                .ids(deletions.map(\.channelID)), .ids(deletions.map(\.messageID)),
                .textArray(deletions.map { _ in nil }),
            ])
    }

    /// All reactions of messages go, or those of one emoji.
    public static func clearReactions(_ clears: [ReactionFold.Clear]) -> Statement {
        Statement(
            clearReactionsQuery,
            [.ids(clears.map(\.channelID)), .ids(clears.map(\.messageID)), .textArray(clears.map(\.emoji))])
    }

    /// Reactions that were taken back.
    public static func removeReactions(_ keys: [ReactionFold.Key]) -> Statement {
        Statement(removeReactionsQuery, reactionParameters(keys))
    }

    /// Reactions that were given. One that stands was taken back and given again within the batch: it moves to the end.
    public static func addReactions(_ additions: [ReactionFold.Addition]) -> Statement {
        Statement(
            addReactionsQuery,
            reactionParameters(additions.map(\.key)) + [
                .intArray(additions.map(\.seq)), .boolArray(additions.map(\.animated)),
            ])
    }

    /// Entries of the channels' logs, voids among them. An entry that is there already must be the same, else
    /// `channel_log_conflict`.
    public static func appendLog(_ entries: [LoggedEntry]) -> Statement {
        Statement(
            appendLogQuery,
            [
                .ids(entries.map(\.channelID)), .intArray(entries.map(\.seq)), .intArray(entries.map(\.epoch)),
                .intArray(entries.map { Int64($0.kind) }),
                .optionalIntArray(entries.map { $0.messageID.map(\.signed) }),
                .bytesArray(entries.map(\.payload)),
            ])
    }

    // MARK: Queries

    static let insertMessagesQuery = PreparedQuery(
        "lane.insertMessages",
        """
        INSERT INTO messages (channel_id, id, seq, epoch, author_id, flags, kind, tts, mention_everyone, content, nonce,
            mentions, mention_roles, extras, edited_at, idempotency_key)
        SELECT channel_id, id, seq, epoch, author_id, flags, kind, tts, mention_everyone, content, nonce,
            mentions::bigint[], mention_roles::bigint[], extras, edited_at, idempotency_key
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            AS new (channel_id, id, seq, epoch, author_id, flags, kind, tts, mention_everyone, content, nonce, mentions,
                mention_roles, extras, edited_at, idempotency_key)
        ON CONFLICT (channel_id, id) DO UPDATE
            SET seq = refuse_conflict('messages', excluded.channel_id, excluded.seq)
            WHERE (messages.seq, messages.epoch) <> (excluded.seq, excluded.epoch)
        """,
        [
            .int8Array, .int8Array, .int8Array, .int8Array, .int8Array, .int4Array, .int2Array, .boolArray, .boolArray,
            .textArray, .textArray, .textArray, .textArray, .byteaArray, .timestamptzArray,
            .int8Array,
        ])

    static let updateMessagesQuery = PreparedQuery(
        "lane.updateMessages",
        """
        UPDATE messages m SET flags = new.flags, mention_everyone = new.mention_everyone, content = new.content,
            mentions = new.mentions::bigint[], mention_roles = new.mention_roles::bigint[], extras = new.extras,
            edited_at = new.edited_at
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
            AS new (channel_id, id, flags, mention_everyone, content, mentions, mention_roles, extras, edited_at)
        WHERE m.channel_id = new.channel_id AND m.id = new.id AND m.deleted_seq IS NULL
        """,
        [
            .int8Array, .int8Array, .int4Array, .boolArray, .textArray, .textArray, .textArray, .byteaArray,
            .timestamptzArray,
        ])

    static let deleteMessagesQuery = PreparedQuery(
        "lane.deleteMessages",
        """
        UPDATE messages m SET deleted_seq = gone.seq, deleted_at = now(), content = '', mention_everyone = false,
            mentions = NULL, mention_roles = NULL, extras = NULL, pinned_at = NULL
        FROM unnest($1, $2, $3) AS gone (channel_id, id, seq)
        WHERE m.channel_id = gone.channel_id AND m.id = gone.id AND m.deleted_seq IS NULL
        """, [.int8Array, .int8Array, .int8Array])

    static let clearReactionsQuery = PreparedQuery(
        "lane.clearReactions",
        """
        DELETE FROM reactions r USING unnest($1, $2, $3) AS gone (channel_id, message_id, emoji)
        WHERE r.channel_id = gone.channel_id AND r.message_id = gone.message_id
            AND (gone.emoji IS NULL OR r.emoji = gone.emoji)
        """, [.int8Array, .int8Array, .textArray])

    static let removeReactionsQuery = PreparedQuery(
        "lane.removeReactions",
        """
        DELETE FROM reactions r USING unnest($1, $2, $3, $4) AS gone (channel_id, message_id, user_id, emoji)
        WHERE r.channel_id = gone.channel_id AND r.message_id = gone.message_id AND r.emoji = gone.emoji
            AND r.user_id = gone.user_id
        """, [.int8Array, .int8Array, .int8Array, .textArray])

    static let addReactionsQuery = PreparedQuery(
        "lane.addReactions",
        """
        INSERT INTO reactions (channel_id, message_id, user_id, emoji, seq, emoji_animated)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
        ON CONFLICT (channel_id, message_id, emoji, user_id) DO UPDATE SET seq = excluded.seq
        """, [.int8Array, .int8Array, .int8Array, .textArray, .int8Array, .boolArray])

    static let appendLogQuery = PreparedQuery(
        "lane.appendLog",
        """
        INSERT INTO channel_log (channel_id, seq, epoch, kind, message_id, payload, created_at)
        SELECT *, now() FROM unnest($1, $2, $3, $4, $5, $6)
        ON CONFLICT (channel_id, seq) DO UPDATE
            SET seq = refuse_conflict('channel_log', excluded.channel_id, excluded.seq)
            WHERE (channel_log.epoch, channel_log.kind) <> (excluded.epoch, excluded.kind)
                OR channel_log.message_id IS DISTINCT FROM excluded.message_id
        """, [.int8Array, .int8Array, .int8Array, .int2Array, .int8Array, .byteaArray])

    // MARK: Parameters

    private static func reactionParameters(_ keys: [ReactionFold.Key]) -> [SQLValue] {
        [
            .ids(keys.map(\.channelID)), .ids(keys.map(\.messageID)), .ids(keys.map(\.userID)),
            .textArray(keys.map(\.emoji)),
        ]
    }

    /// An array inside an array cannot be unnested, so the inner one travels as Postgres's text form and is cast.
    private static func arrayLiteral(_ ids: [Snowflake]) -> String? {
        ids.isEmpty ? nil : "{" + ids.map(\.description).joined(separator: ",") + "}"
    }

    private static func nonce(_ message: Message) -> String? {
        message.nonce.map { String(decoding: $0.encoded(), as: UTF8.self) }
    }

    private static func lastOfEach(_ messages: [Message]) -> [Message] {
        var seen: Set<MessageKey> = []
        return messages.reversed().filter { seen.insert(MessageKey(channelID: $0.channelID, id: $0.id)).inserted }
            .reversed()
    }

    private struct MessageKey: Hashable {
        var channelID: ChannelID
        var id: MessageID
    }
}
