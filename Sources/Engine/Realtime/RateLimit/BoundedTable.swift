/// Entries that run out, in bounded memory: windows and times of which nothing is lost when they are over.
///
/// Those that are over are dropped when the number has doubled since the last sweep, so the cost per entry is constant. With more
/// than half of the capacity in use that would not hold, and it is swept once a second at most. At the capacity there is no room
/// for new keys; forgetting an entry that is not over would lift a limit.
struct BoundedTable<Key: Hashable, Value> {
    /// The least time between two sweeps of a table that is nearly full, in milliseconds.
    static var pause: UInt64 { 1_000 }

    /// A new key is put in only after `hasRoom`.
    var entries: [Key: Value] = [:]

    private let sweepAt: Int
    private let capacity: Int
    private var sweepAbove: Int
    private var sweepsAgainAt: UInt64 = 0

    /// - Parameters:
    ///   - sweepAt: with fewer entries nothing is swept.
    ///   - capacity: the most entries.
    init(sweepAt: Int, capacity: Int) {
        self.sweepAt = sweepAt
        self.capacity = capacity
        sweepAbove = sweepAt
    }

    /// Whether there is, or can be, an entry for a key.
    /// - Parameters:
    ///   - now: milliseconds of a clock that does not go back.
    ///   - isOver: whether nothing is lost by forgetting an entry.
    mutating func hasRoom(for key: Key, at now: UInt64, droppingWhere isOver: (Value) -> Bool) -> Bool {
        guard entries.count >= sweepAbove, entries[key] == nil else { return true }
        if now >= sweepsAgainAt {
            entries = entries.filter { !isOver($0.value) }
            sweepAbove = min(capacity, max(sweepAt, entries.count * 2))
            sweepsAgainAt = entries.count * 2 > capacity ? now + Self.pause : 0
        }
        return entries.count < capacity
    }
}

extension BoundedTable: Sendable where Key: Sendable, Value: Sendable {}
