import FluxCluster
import FluxCore

/// What a session is, and what it listens to: enough to prepare a place for it.
struct SessionDescription: WireCodable {
    var identity: GatewayIdentity
    var request: IdentifyRequest
    /// Those in which it has a place; a guild whose snapshot it waits for is not among them.
    var streams: [StreamKey]

    init(identity: GatewayIdentity, request: IdentifyRequest, streams: [StreamKey]) {
        self.identity = identity
        self.request = request
        self.streams = streams
    }

    func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.value(identity.userID)
            fields.bool(identity.isBot)
            fields.optional(identity.loginID)
            fields.unsigned(request.intents.rawValue)
            fields.signed(request.largeThreshold)
            fields.bool(request.shard != nil)
            if let shard = request.shard {
                fields.signed(shard.index)
                fields.signed(shard.count)
            }
            fields.optional(request.presence)
            fields.list(streams)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            let identity = GatewayIdentity(
                userID: try fields.value(), isBot: try fields.bool(), loginID: try fields.optional())
            let intents = Intents(rawValue: try fields.unsigned())
            let largeThreshold: Int = try fields.signed()
            var shard: (index: Int, count: Int)?
            if try fields.bool() {
                let (index, count): (Int, Int) = (try fields.signed(), try fields.signed())
                guard count >= 1, index >= 0, index < count else { throw WireError.malformed("no such shard") }
                shard = (index, count)
            }
            return SessionDescription(
                identity: identity,
                request: IdentifyRequest(
                    intents: intents, largeThreshold: largeThreshold, shard: shard, presence: try fields.optional()),
                streams: try fields.list())
        }
    }
}
