import FluxCore

/// A command that changed a guild or what belongs to a person, under the edge's name for it, with what it was answered (I4).
public struct PerformedCommand: Sendable, Equatable {
    /// The guild or the person.
    public var targetKey: Snowflake
    /// Drawn by the edge for each request.
    public var idempotencyKey: UInt64
    public var performedAt: Timestamp
    /// The answer's status.
    public var status: Int
    /// The answer's JSON, or empty.
    public var body: [UInt8]

    public init(
        targetKey: Snowflake, idempotencyKey: UInt64, performedAt: Timestamp, status: Int, body: [UInt8]
    ) {
        self.targetKey = targetKey
        self.idempotencyKey = idempotencyKey
        self.performedAt = performedAt
        self.status = status
        self.body = body
    }
}

extension Statement {
    /// Written in the mutation that carries the command out.
    public static func insertPerformedCommand(_ command: PerformedCommand) -> Statement {
        Statement(
            Queries.insert,
            [
                .id(command.targetKey), .int(Int64(bitPattern: command.idempotencyKey)),
                .timestamp(command.performedAt), .int(command.status), .bytes(command.body),
            ])
    }

    private enum Queries {
        static let insert = PreparedQuery(
            "performedCommands.insert",
            """
            INSERT INTO performed_commands (target_key, idempotency_key, performed_at, status, body)
            VALUES ($1, $2, $3, $4, $5)
            """, [.int8, .int8, .timestamptz, .int2, .bytea])
    }
}
