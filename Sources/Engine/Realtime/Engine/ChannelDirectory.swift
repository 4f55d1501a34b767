import FluxCluster
import FluxCore
import FluxStore
import NIOConcurrencyHelpers

/// Where a channel lives: in its guild's slot, or in one of its own for a DM. Never changes (design 4).
struct ChannelLocation: Equatable {
    /// Nil for a DM.
    var guildID: GuildID?

    func slot(of channel: ChannelID) -> Slot { Slot(of: guildID ?? channel) }

    func address(of channel: ChannelID) -> ActorAddress {
        ActorAddress(kind: .channel, key: channel.rawValue, slot: slot(of: channel))
    }
}

/// The node's copy of the map from channels to their guilds. Bounded; since the map never changes, nothing in it goes stale.
final class ChannelDirectory: Sendable {
    static let capacity = 1_000_000

    private let locations = NIOLockedValueBox<[ChannelID: ChannelLocation]>([:])
    private let store: Channels

    init(database: Database) { store = Channels(database) }

    func known(_ channel: ChannelID) -> ChannelLocation? { locations.withLockedValue { $0[channel] } }

    /// Looks the channel up where it is not known yet.
    /// - Throws: `.unknownChannel`; `.notCommitted` if Postgres cannot be asked.
    func locate(_ channel: ChannelID) async throws(APIError) -> ChannelLocation {
        if let location = known(channel) { return location }
        let found: ChannelPlace?
        do { found = try await store.place(of: channel) } catch { throw .notCommitted }
        guard let found else { throw .unknownChannel }
        let location = ChannelLocation(guildID: found.guildID)
        learn(channel, location)
        return location
    }

    func learn(_ channel: ChannelID, _ location: ChannelLocation) {
        locations.withLockedValue { locations in
            if locations.count >= Self.capacity { locations.removeAll(keepingCapacity: true) }
            locations[channel] = location
        }
    }
}
