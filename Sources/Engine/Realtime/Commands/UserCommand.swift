import FluxCore

/// One request of somebody to their own account. The actor's key is the caller's id.
public struct UserCommand: Sendable, Equatable {
    /// Who asks.
    public var caller: Caller
    /// Drawn by the edge for each request, so that its own repeats are one change (I4).
    public var idempotencyKey: UInt64
    public var operation: UserOperation
    /// The parsed body; `.null` where there was none.
    public var body: JSON

    public init(caller: Caller, idempotencyKey: UInt64 = 0, operation: UserOperation, body: JSON = .null) {
        self.caller = caller
        self.idempotencyKey = idempotencyKey
        self.operation = operation
        self.body = body
    }
}
