import FluxCore

/// One request to a guild. The guild checks it in the order of protocol 3.5: existence, membership, permission, body.
public struct GuildCommand: Sendable, Equatable {
    /// Who asks.
    public var caller: Caller
    /// `X-Audit-Log-Reason`, decoded.
    public var reason: String?
    /// Drawn by the edge for each request, so that its own repeats are one change (I4).
    public var idempotencyKey: UInt64
    public var operation: GuildOperation
    /// The parsed body; `.null` where there was none. Images, which clients send as data URIs, have been stored by the
    /// edge and stand here as their hashes.
    public var body: JSON

    public init(
        caller: Caller, reason: String? = nil, idempotencyKey: UInt64 = 0, operation: GuildOperation,
        body: JSON = .null
    ) {
        self.caller = caller
        self.reason = reason
        self.idempotencyKey = idempotencyKey
        self.operation = operation
        self.body = body
    }
}
