import FluxCluster
import FluxCore
import FluxStore

/// What a guild's actor is told through the outbox, by users' actors and by itself.
enum GuildNotice: WireCodable, Equatable {
    /// A member's account looks different.
    case userChanged(UserID)
    /// Messages that go with a ban: what is left of them when the guild's node dies is deleted by the next one.
    case purge(MessagePurge)

    /// Reads the payload of an outbox entry; nil for one that is none of ours.
    init?(_ entry: OutboxEntry) {
        var reader = WireReader(entry.payload)
        guard entry.target?.kind == .guild, let notice = try? GuildNotice(from: &reader) else { return nil }
        self = notice
    }

    /// The notice on its way to the guild.
    func entry(id: Snowflake, to guildID: GuildID, at now: Timestamp) -> OutboxEntry {
        OutboxEntry(id: id, for: .guild(guildID), self, at: now)
    }

    func encode(to writer: inout WireWriter) {
        switch self {
        case .userChanged(let userID):
            writer.byte(1)
            writer.value(userID)
        case .purge(let purge):
            writer.byte(2)
            writer.value(purge.authorID)
            writer.signed(purge.since.microseconds)
            writer.signed(purge.until.microseconds)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        let number = try reader.byte()
        switch number {
        case 1: self = .userChanged(try reader.value())
        case 2:
            self = .purge(
                MessagePurge(
                    authorID: try reader.value(), since: Timestamp(microseconds: try reader.signed()),
                    until: Timestamp(microseconds: try reader.signed())))
        default: throw .unknownCase(UInt64(number))
        }
    }
}
