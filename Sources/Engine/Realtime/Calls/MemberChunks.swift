import FluxCluster
import FluxCore

/// The answer to op 8: the `d` of each GUILD_MEMBERS_CHUNK, in order.
struct MemberChunks: WireCodable, Equatable {
    var bodies: [[UInt8]]

    init(bodies: [[UInt8]]) { self.bodies = bodies }

    func encode(to writer: inout WireWriter) {
        writer.unsigned(UInt(bodies.count))
        for body in bodies { writer.byteArray(body) }
    }

    init(from reader: inout WireReader) throws(WireError) {
        let count = try reader.unsigned(UInt.self)
        var bodies: [[UInt8]] = []
        for _ in 0..<count { bodies.append(try reader.byteArray()) }
        self.init(bodies: bodies)
    }
}

extension MemberRequest: WireCodable {
    func encode(to writer: inout WireWriter) {
        writer.value(guildID)
        writer.string(query)
        writer.signed(limit)
        writer.list(userIDs)
        writer.bool(wantsPresences)
        writer.optional(nonce)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            guildID: try reader.value(), query: try reader.string(), limit: try reader.signed(),
            userIDs: try reader.list(), wantsPresences: try reader.bool(), nonce: try reader.optional())
    }
}
