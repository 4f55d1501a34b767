import FluxCore
import HeapModule

/// Coalesced values of a lane: of each key only the latest waits, and a key is handed out at most once per interval.
struct LaneCounters {
    private struct Due: Comparable {
        var at: Duration
        /// Breaks ties, so that the order does not depend on hashing.
        var serial: UInt64
        var key: CounterKey

        static func < (left: Due, right: Due) -> Bool { (left.at, left.serial) < (right.at, right.serial) }
        static func == (left: Due, right: Due) -> Bool { (left.at, left.serial) == (right.at, right.serial) }
    }

    private var waiting: [CounterKey: LaneEntry] = [:]
    private var due = Heap<Due>()
    /// When keys were last handed out; entries older than the interval are forgotten.
    private var handedOut: [CounterKey: Duration] = [:]
    private var serial: UInt64 = 0
    private let interval: Duration

    init(interval: Duration) { self.interval = interval }

    var isEmpty: Bool { waiting.isEmpty }

    /// Keys of which a value waits.
    var count: Int { waiting.count }

    /// When the next value is to be written; nil when none waits.
    var nextDue: Duration? { due.min?.at }

    /// When the oldest value that waits was admitted.
    var oldest: Duration? { waiting.values.lazy.map(\.admittedAt).min() }

    /// Adds a value, in place of one that waits under the key. Returns the bytes that were freed by replacing.
    mutating func put(_ entry: LaneEntry, key: CounterKey, at now: Duration) -> Int {
        if var previous = waiting[key] {
            let freed = previous.mutation.byteCount
            let reference = LaneEntry.Reference(id: previous.mutation.id, origin: previous.mutation.origin)
            previous.superseded.append(reference)
            previous.mutation = entry.mutation
            previous.serial = entry.serial
            waiting[key] = previous
            return freed
        }
        waiting[key] = entry
        schedule(key, at: max(now, handedOut[key].map { $0 + interval } ?? now))
        return 0
    }

    /// Puts back what was handed out and did not get in. A newer value that came since wins.
    mutating func putBack(_ entry: LaneEntry, key: CounterKey, at now: Duration) -> Int {
        guard var newer = waiting[key] else {
            waiting[key] = entry
            schedule(key, at: now)
            return 0
        }
        newer.superseded.append(.init(id: entry.mutation.id, origin: entry.mutation.origin))
        newer.superseded.append(contentsOf: entry.superseded)
        newer.admittedAt = min(newer.admittedAt, entry.admittedAt)
        waiting[key] = newer
        return entry.mutation.byteCount
    }

    /// Takes out at most `limit` values that are due, or, `early`, also those that are not.
    mutating func take(limit: Int, at now: Duration, early: Bool) -> [LaneEntry] {
        var taken: [LaneEntry] = []
        while taken.count < limit, let next = due.min, early || next.at <= now {
            due.removeMin()
            guard let entry = waiting.removeValue(forKey: next.key) else { continue }
            handedOut[next.key] = now
            taken.append(entry)
        }
        if handedOut.count > 1024, waiting.count < handedOut.count / 2 {
            handedOut = handedOut.filter { $0.value + interval > now }
        }
        return taken
    }

    /// Makes what waits of a slot due now; whether there is any.
    mutating func hasten(_ slot: Slot, at now: Duration) -> Bool {
        let keys = Set(waiting.lazy.filter { $0.value.mutation.slot == slot }.map(\.key))
        guard !keys.isEmpty else { return false }
        due = Heap(
            due.unordered.map { entry in
                var entry = entry
                if keys.contains(entry.key) { entry.at = min(entry.at, now) }
                return entry
            })
        return true
    }

    /// Takes out every value for which `condition` holds, in the order of admission.
    mutating func remove(where condition: (LaneEntry) -> Bool) -> [LaneEntry] {
        guard waiting.values.contains(where: condition) else { return [] }
        let removed = waiting.filter { condition($0.value) }
        for key in removed.keys { waiting[key] = nil }
        let kept = due.unordered.filter { waiting[$0.key] != nil }
        due = Heap(kept)
        return removed.values.sorted {
            ($0.admittedAt, $0.mutation.id.rawValue) < ($1.admittedAt, $1.mutation.id.rawValue)
        }
    }

    /// Every slot and epoch of what waits.
    func forEach(_ body: (LaneEntry) -> Void) { waiting.values.forEach(body) }

    private mutating func schedule(_ key: CounterKey, at time: Duration) {
        serial += 1
        due.insert(Due(at: time, serial: serial, key: key))
    }
}
