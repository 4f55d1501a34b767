import FluxCore

/// Reads of which commands were performed of late.
public struct PerformedCommands: Sendable {
    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// A command that is committed; nil if there is none, or if it is so long ago that it was forgotten.
    public func find(_ idempotencyKey: UInt64, of targetKey: Snowflake) async throws(StoreError) -> PerformedCommand? {
        let rows = try await database.run(
            Statement(Queries.find, [.id(targetKey), .int(Int64(bitPattern: idempotencyKey))]))
        guard let row = rows.first else { return nil }
        return PerformedCommand(
            targetKey: targetKey, idempotencyKey: idempotencyKey, performedAt: try row.timestamp(0),
            status: try row.integer(1), body: try row.bytes(2))
    }

    enum Queries {
        static let find = PreparedQuery(
            "performedCommands.find",
            """
            SELECT performed_at, status, body FROM performed_commands WHERE target_key = $1 AND idempotency_key = $2
            """, [.int8, .int8])
    }
}
