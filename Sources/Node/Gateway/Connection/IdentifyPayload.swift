import FluxCore
import FluxRealtime

/// The body of op 2 as the client sent it, checked for form (protocol 7.4).
struct IdentifyPayload {
    /// Without a `Bot ` or `Bearer ` in front; nil: the cookie of the upgrade request counts (protocol 10.1).
    var token: String?
    /// Nil when absent: then a bot is refused, a person needs none.
    var intents: Intents?
    var largeThreshold: Int
    var shard: (index: Int, count: Int)?
    var presence: JSON?

    private static let thresholds = 50...250

    /// - Throws: the code to close with.
    init(_ body: JSON) throws(SessionRefusal) {
        guard let fields = body.objectValue else { throw .close(.undecodable) }
        token = try GatewayToken.read(fields["token"])
        intents = try Self.intents(fields["intents"])
        shard = try Self.shard(fields["shard"])
        if let presence = fields["presence"], !presence.isNull { self.presence = presence }
        let threshold = fields["large_threshold"]?.intValue ?? Self.thresholds.lowerBound
        largeThreshold = min(max(threshold, Self.thresholds.lowerBound), Self.thresholds.upperBound)
    }

    private static func intents(_ value: JSON?) throws(SessionRefusal) -> Intents? {
        guard let value, !value.isNull else { return nil }
        guard let number = value.intValue, number >= 0 else { throw .close(.invalidIntents) }
        return Intents(rawValue: UInt64(number))
    }

    private static func shard(_ value: JSON?) throws(SessionRefusal) -> (index: Int, count: Int)? {
        guard let value, !value.isNull else { return nil }
        guard let pair = value.arrayValue, pair.count == 2, let index = pair[0].intValue, let count = pair[1].intValue,
            count >= 1, (0..<count).contains(index)
        else { throw .close(.invalidShard) }
        return (index, count)
    }

    /// What the session layer is asked for.
    /// - Throws: the code to close a bot with that gave no intents.
    func request(as identity: GatewayIdentity) throws(SessionRefusal) -> IdentifyRequest {
        guard let intents = intents ?? (identity.isBot ? nil : .all) else { throw .close(.invalidIntents) }
        guard !identity.isBot || intents.isSubset(of: .all) else { throw .close(.invalidIntents) }
        return IdentifyRequest(intents: intents, largeThreshold: largeThreshold, shard: shard, presence: presence)
    }
}

/// The body of op 6 (protocol 7.5).
struct ResumePayload {
    /// As in ``IdentifyPayload/token``.
    var token: String?
    var sessionIdentifier: String
    /// The last sequence number that the client has.
    var sequence: UInt64

    /// - Throws: the code to close with.
    init(_ body: JSON) throws(SessionRefusal) {
        guard let fields = body.objectValue, let identifier = fields["session_id"]?.stringValue else {
            throw .close(.undecodable)
        }
        token = try GatewayToken.read(fields["token"])
        sessionIdentifier = identifier
        // Null: the connection broke before anything came.
        switch fields["seq"] {
        case nil, .null?: sequence = 0
        case let value?:
            guard let number = value.intValue else { throw .close(.undecodable) }
            guard number >= 0 else { throw .close(.invalidSequence) }
            sequence = UInt64(number)
        }
    }
}

/// The `token` of IDENTIFY and RESUME.
private enum GatewayToken {
    static func read(_ value: JSON?) throws(SessionRefusal) -> String? {
        switch value {
        case nil, .null?:
            return nil
        case .string(let text)?:
            for prefix in ["Bot ", "Bearer "] where text.hasPrefix(prefix) {
                return String(text.dropFirst(prefix.count))
            }
            return text
        default:
            throw .close(.undecodable)
        }
    }
}
