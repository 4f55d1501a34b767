import FluxCore

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
