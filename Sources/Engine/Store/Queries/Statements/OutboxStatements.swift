import FluxCore

/// The two ends of an outbox entry's life.
extension Statement {
    /// Written by the sender, in the mutation whose consequence it is.
    public static func insertOutbox(_ entry: OutboxEntry) -> Statement { insertOutbox([entry]) }

    /// Several at once, for a change that many others have to learn of.
    public static func insertOutbox(_ entries: [OutboxEntry]) -> Statement {
        Statement(
            Queries.insert,
            [
                .ids(entries.map(\.id)), .intArray(entries.map { Int64($0.targetKind) }),
                .intArray(entries.map { Int64($0.targetSlot.rawValue) }), .ids(entries.map(\.targetKey)),
                .timestampArray(entries.map(\.createdAt)), .bytesArray(entries.map(\.payload)),
            ])
    }

    /// Written by the target, in the mutation that applies it. An entry that was applied before makes the whole mutation
    /// fail with constraint `outbox_applied_once`, so that nothing is applied twice.
    public static func takeFromOutbox(_ id: Snowflake) -> Statement {
        Statement(Queries.take, [.id(id)])
    }

    private enum Queries {
        static let insert = PreparedQuery(
            "outbox.insert",
            """
            INSERT INTO outbox (id, target_kind, target_slot, target_key, created_at, payload)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
            """, [.int8Array, .int2Array, .int2Array, .int8Array, .timestamptzArray, .byteaArray])

        static let take = PreparedQuery("outbox.take", "SELECT take_from_outbox($1)", [.int8], repeatable: false)
    }
}
