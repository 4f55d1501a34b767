import FluxCluster
import FluxCore
import NIOConcurrencyHelpers

/// What former owners have left to the actors of slots that are, or are about to be, this node's. Safe from every thread.
///
/// Bounded by the hand-overs that a node accepts at a time, and by time: what no actor has asked for within a minute of the
/// slot's arrival is of no use to anybody, as every listener turns to the new owner at once.
package final class SlotMemories: Sendable {
    /// How long it is kept, in milliseconds.
    static let lifetime: UInt64 = 60_000

    private struct Entry {
        /// The epoch of the owner that left it.
        let epoch: Epoch
        let keptSince: UInt64
        var users: [UserID: UserMemory]
        var guilds: [GuildID: GuildMemory]
    }

    private let entries = NIOLockedValueBox<[Slot: Entry]>([:])

    package init() {}

    /// Keeps what the owner of the slot at `epoch` leaves.
    package func keep(_ memory: SlotMemory, of slot: Slot, _ epoch: Epoch, at now: UInt64) {
        let entry = Entry(
            epoch: epoch, keptSince: now,
            users: Dictionary(memory.users.map { ($0.userID, $0) }) { $1 },
            guilds: Dictionary(memory.guilds.map { ($0.guildID, $0) }) { $1 })
        entries.withLockedValue { entries in
            entries = entries.filter { now < $0.value.keptSince + Self.lifetime }
            entries[slot] = entry
        }
    }

    /// The hand-over was called off.
    package func drop(_ slot: Slot) { entries.withLockedValue { $0[slot] = nil } }

    /// What is left to the user's actor, which is made at this epoch; once, and only if no other owner was between.
    package func take(user: UserID, at epoch: Epoch) -> UserMemory? {
        let slot = Slot(of: user)
        return entries.withLockedValue { entries in
            guard entries[slot]?.epoch == epoch - 1 else { return nil }
            return entries[slot]?.users.removeValue(forKey: user)
        }
    }

    /// As above, for a guild.
    func take(guild: GuildID, at epoch: Epoch) -> GuildMemory? {
        let slot = Slot(of: guild)
        return entries.withLockedValue { entries in
            guard entries[slot]?.epoch == epoch - 1 else { return nil }
            return entries[slot]?.guilds.removeValue(forKey: guild)
        }
    }
}
