import FluxCluster
import FluxCore
import FluxStore

/// What a user's actor is told through the outbox.
enum UserNotice: WireCodable, Equatable {
    /// The sender's half of a relationship, whole.
    case peer(PeerNotice)
    /// The user has become a member of the guild, or is one no more: which of the two stands in the guild's own rows, which
    /// were written with the notice. So notices that overtake one another do no harm.
    case membership(GuildID)
    /// Somebody has begun a group conversation with the user in it.
    case conversation(ChannelID)

    /// Reads the payload of an outbox entry; nil for one that is none of ours.
    init?(_ entry: OutboxEntry) {
        var reader = WireReader(entry.payload)
        guard entry.target?.kind == .user, let notice = try? UserNotice(from: &reader) else { return nil }
        self = notice
    }

    /// The notice on its way to `targetID`.
    func entry(id: Snowflake, to targetID: UserID, at now: Timestamp) -> OutboxEntry {
        OutboxEntry(id: id, for: .user(targetID), self, at: now)
    }

    func encode(to writer: inout WireWriter) {
        switch self {
        case .peer(let notice):
            writer.byte(1)
            writer.value(notice)
        case .membership(let guildID):
            writer.byte(2)
            writer.value(guildID)
        case .conversation(let channelID):
            writer.byte(3)
            writer.value(channelID)
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        let number = try reader.byte()
        switch number {
        case 1: self = .peer(try reader.value())
        case 2: self = .membership(try reader.value())
        case 3: self = .conversation(try reader.value())
        default: throw .unknownCase(UInt64(number))
        }
    }
}
