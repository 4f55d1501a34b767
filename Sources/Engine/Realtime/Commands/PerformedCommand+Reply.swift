import FluxCore
import FluxStore

extension PerformedCommand {
    /// What is stored of a command with its changes; nil for one that the edge does not repeat.
    init?(_ idempotencyKey: UInt64, of targetKey: Snowflake, answered reply: CommandReply, at now: Timestamp = .now()) {
        guard idempotencyKey != 0 else { return nil }
        self.init(
            targetKey: targetKey, idempotencyKey: idempotencyKey, performedAt: now, status: reply.status,
            body: reply.body)
    }

    var reply: CommandReply { CommandReply(status: status, body: body) }
}

extension EngineServices {
    /// What a command was answered when it was carried out, if it was, whoever was the owner then.
    /// - Throws: `.notCommitted` if Postgres cannot say.
    func reply(
        to idempotencyKey: UInt64, of targetKey: Snowflake, knowing keys: PerformedKeys
    ) async throws(APIError) -> CommandReply? {
        guard idempotencyKey != 0, keys.mayHold(idempotencyKey, at: clock.milliseconds) else { return nil }
        do { return try await performedCommands.find(idempotencyKey, of: targetKey)?.reply } catch {
            throw .notCommitted
        }
    }
}
