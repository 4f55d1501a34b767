import FluxCluster
import FluxCore
import FluxStore

/// How does the user look to the members of a guild?
struct GuildPresenceQuestion: WireCodable, Equatable {
    var guildID: GuildID

    init(guildID: GuildID) { self.guildID = guildID }

    func encode(to writer: inout WireWriter) { writer.value(guildID) }
    init(from reader: inout WireReader) throws(WireError) { self.init(guildID: try reader.value()) }
}
