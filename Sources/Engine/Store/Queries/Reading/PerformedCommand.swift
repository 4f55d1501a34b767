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
