import FluxCluster
import FluxCore

/// What the actors of a slot know and Postgres does not: what a planned hand-over brings to the next owner, so that nobody
/// notices it (design 5). After the death of an owner there is none, and what depends on it begins anew.
package struct SlotMemory: WireCodable, Equatable {
    package var users: [UserMemory] = []
    package var guilds: [GuildMemory] = []

    var isEmpty: Bool { users.isEmpty && guilds.isEmpty }

    package init() {}

    package func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.list(users)
            fields.list(guilds)
        }
    }

    package init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            var memory = SlotMemory()
            memory.users = try fields.list()
            memory.guilds = try fields.list()
            return memory
        }
    }
}
