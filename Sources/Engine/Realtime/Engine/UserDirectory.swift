import Collections
import FluxCore
import FluxStore
import NIOConcurrencyHelpers

/// The node's copy of people's public faces, for messages of those who are not in the conversation (any more).
///
/// Bounded; an entry is asked for again after a minute, so that a change of name on another node shows within that time.
final class UserDirectory: Sendable {
    static let capacity = 100_000
    static let lifetime: Duration = .seconds(60)

    private struct Entry {
        let user: User
        let readAt: ContinuousClock.Instant
    }

    private let entries = NIOLockedValueBox<OrderedDictionary<UserID, Entry>>([:])
    private let store: Users
    private let lookups: Lookups<UserID, User>

    init(database: Database) {
        let store = Users(database)
        self.store = store
        lookups = Lookups { ids throws(StoreError) in try await store.batch(ids) }
    }

    /// A face that is at hand and not older than a minute.
    func cached(_ id: UserID) -> User? {
        entries.withLockedValue { entries in
            guard let entry = entries[id], .now - entry.readAt < Self.lifetime else { return nil }
            return entry.user
        }
    }

    /// Those of the users that exist.
    func users(_ ids: some Sequence<UserID>) async throws(StoreError) -> [UserID: User] {
        var found: [UserID: User] = [:]
        var missing: Set<UserID> = []
        for id in ids {
            if let user = cached(id) { found[id] = user } else { missing.insert(id) }
        }
        guard !missing.isEmpty else { return found }
        // One alone may be one of many that are asked for at this moment; several are a batch already.
        let read: [UserID: User]
        if missing.count == 1, let id = missing.first {
            read = try await lookups.value(of: id).map { [id: $0] } ?? [:]
        } else {
            read = try await store.batch(Array(missing))
        }
        remember(read.values)
        found.merge(read) { _, newer in newer }
        return found
    }

    func user(_ id: UserID) async throws(StoreError) -> User? { try await users([id])[id] }

    /// Takes in what is known to be the newest state.
    func remember(_ users: some Sequence<User>) {
        let now = ContinuousClock.now
        entries.withLockedValue { entries in
            for user in users { entries[user.id] = Entry(user: user, readAt: now) }
            // The oldest quarter goes at once, so that a full directory does not shift its entries for every new one.
            if entries.count > Self.capacity { entries.removeFirst(Self.capacity / 4) }
        }
    }
}
