import FluxCluster
import FluxCore

/// What a Guild actor leaves to its successor.
package struct GuildMemory: WireCodable, Equatable {
    var guildID: GuildID
    /// Members who are not offline.
    var presences: [MemberPresence]

    init(guildID: GuildID, presences: [MemberPresence]) {
        self.guildID = guildID
        self.presences = presences
    }

    package func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.value(guildID)
            fields.list(presences)
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            GuildMemory(guildID: try fields.value(), presences: try fields.list())
        }
    }
}
