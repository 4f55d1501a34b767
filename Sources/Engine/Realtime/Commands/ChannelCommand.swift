import FluxCore

/// One request to a channel, of a guild or a direct conversation.
public struct ChannelCommand: Sendable, Equatable {
    /// Who asks.
    public var caller: Caller
    /// `X-Audit-Log-Reason`, decoded.
    public var reason: String?
    /// Drawn by the edge for each request, so that its own repeats are one write (I4).
    public var idempotencyKey: UInt64
    public var operation: ChannelOperation
    /// The parsed body; `.null` where there was none.
    public var body: JSON

    public init(
        caller: Caller, reason: String? = nil, idempotencyKey: UInt64 = 0, operation: ChannelOperation,
        body: JSON = .null
    ) {
        self.caller = caller
        self.reason = reason
        self.idempotencyKey = idempotencyKey
        self.operation = operation
        self.body = body
    }
}
