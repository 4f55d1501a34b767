import FluxCore

/// Reads of what waits to be applied (I11). An entry is here as long as its target has not applied it, and is applied by
/// the target's owner alone: `Statement.takeFromOutbox` in the mutation that carries its consequence.
public struct Outbox: Sendable {
    /// The most entries that one call returns.
    public static let pageLimit = 1_000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// What waits for keys of these slots, with ids above `after`, in the order of their ids: what a slot's owner asks
    /// after an acquisition, and now and then, because a sender's hint may have been lost.
    public func pending(
        in slots: [Slot], after: Snowflake = Snowflake(0), limit: Int = pageLimit
    ) async throws(StoreError) -> [OutboxEntry] {
        let slots = SQLValue.intArray(slots.map { Int64($0.rawValue) })
        return try Self.readAll(
            await database.run(Statement(Queries.pending, [slots, .id(after), .int(Self.clamp(limit))])))
    }

    /// What waits for one key, in the order of the ids: what an actor asks when it is activated.
    public func pending(
        for key: Snowflake, kind: UInt8, slot: Slot? = nil, limit: Int = pageLimit
    ) async throws(StoreError) -> [OutboxEntry] {
        try Self.readAll(
            await database.run(
                Statement(
                    Queries.pendingForKey,
                    [
                        .int((slot ?? Slot(of: key)).rawValue), .id(key), .int(kind), .int(Self.clamp(limit)),
                    ])))
    }

    private static func clamp(_ limit: Int) -> Int { max(0, min(limit, pageLimit)) }

    /// What waits for each of the keys, whose slots are their own.
    static func statement(of keys: [Snowflake], kind: UInt8) -> Statement {
        Statement(
            Queries.pendingForKeys,
            [
                .ids(keys), .intArray(keys.map { Int64(Slot(of: $0).rawValue) }), .int(kind), .int(pageLimit),
            ])
    }

    static func readAll(_ rows: some Sequence<Row>) throws(StoreError) -> [OutboxEntry] {
        var entries: [OutboxEntry] = []
        for row in rows {
            let slot: UInt16 = try row.integer(2)
            guard let slot = Slot(rawValue: slot) else { throw .corrupt("slot \(slot)") }
            entries.append(
                OutboxEntry(
                    id: try row.id(0), targetKind: try row.integer(1), targetKey: try row.id(3), targetSlot: slot,
                    createdAt: try row.timestamp(4), payload: try row.bytes(5)))
        }
        return entries
    }

    enum Queries {
        static let columns = "id, target_kind, target_slot, target_key, created_at, payload"

        static let pending = PreparedQuery(
            "outbox.pending",
            "SELECT \(columns) FROM outbox WHERE target_slot = ANY ($1) AND id > $2 ORDER BY id LIMIT $3",
            [.int2Array, .int8, .int4])

        static let pendingForKeys = PreparedQuery(
            "outbox.pendingForKeys",
            """
            SELECT found.*, wanted.id AS wanted_id FROM unnest($1, $2) AS wanted (id, slot) CROSS JOIN LATERAL (
                SELECT \(columns) FROM outbox
                WHERE target_slot = wanted.slot AND target_key = wanted.id AND target_kind = $3 ORDER BY id LIMIT $4
            ) found ORDER BY wanted_id, 1
            """, [.int8Array, .int2Array, .int2, .int4])

        static let pendingForKey = PreparedQuery(
            "outbox.pendingForKey",
            """
            SELECT \(columns) FROM outbox WHERE target_slot = $1 AND target_key = $2 AND target_kind = $3
            ORDER BY id LIMIT $4
            """, [.int2, .int8, .int2, .int4])
    }
}
