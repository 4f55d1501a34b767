import FluxCore

/// Puts together the `d` of READY (protocol 7.7) from parts that are JSON already.
struct ReadyBody {
    /// Flags of an application that may have the privileged intents without being asked (protocol 6.7).
    static let applicationFlags: Int64 = 1 << 13 | 1 << 15 | 1 << 19

    var sessionID: String
    var resumeURL: String
    var opening: UserOpening
    /// In the order of `guilds`: the GUILD_CREATE of each, or nil for one that cannot be had now.
    var guilds: [(id: GuildID, body: [UInt8]?)]
    var shard: (index: Int, count: Int)?
    var isBot: Bool
    var userID: UserID

    func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("v")
        writer.int(10)
        writer.key("user")
        writer.raw(opening.ownUser)
        writer.key("session_id")
        writer.string(sessionID)
        writer.key("resume_gateway_url")
        writer.string(resumeURL)
        writer.key("session_type")
        writer.string("normal")
        writer.key("guilds")
        writer.beginArray()
        for guild in guilds {
            if let body = guild.body, !isBot { writer.raw(body) } else { Self.writeUnavailable(guild.id, to: &writer) }
        }
        writer.endArray()
        if isBot {
            writer.key("application")
            writer.beginObject()
            writer.key("id")
            writer.string(userID.description)
            writer.key("flags")
            writer.int(Self.applicationFlags)
            writer.endObject()
        }
        if let shard {
            writer.key("shard")
            writer.beginArray()
            writer.int(Int64(shard.index))
            writer.int(Int64(shard.count))
            writer.endArray()
        }
        for section in opening.sections {
            writer.key(escaping: section.name)
            writer.raw(section.json)
        }
        writer.endObject()
        return writer.bytes
    }

    private static func writeUnavailable(_ id: GuildID, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("id")
        writer.string(id.description)
        writer.key("unavailable")
        writer.bool(true)
        writer.endObject()
    }

    /// A GUILD_CREATE that says "became available": the libraries tell it from a join by this key (protocol 7.7).
    static func becameAvailable(_ guild: [UInt8]) -> [UInt8] {
        precondition(guild.last == UInt8(ascii: "}"), "a guild is a JSON object")
        return guild.dropLast() + Array(#","unavailable":false}"#.utf8)
    }

    /// The GUILD_DELETE of a guild that cannot be had now.
    static func unavailable(_ id: GuildID) -> [UInt8] {
        var writer = JSONWriter()
        writeUnavailable(id, to: &writer)
        return writer.bytes
    }
}
