import NIOCore

/// Something that a ``ConnectionWheel`` keeps the deadline of.
protocol WheelEntry: AnyObject {
    /// Belongs to the wheel: it starts as a new `WheelPlace` and is changed by nobody else.
    var wheelPlace: WheelPlace { get set }
}

/// Where an entry stands in its wheel.
struct WheelPlace {
    fileprivate var bucket = -1
    fileprivate var index = -1
}

/// The deadlines of many connections in 128 buckets of one second each.
///
/// Inserting, moving and removing cost a few steps whatever the number of connections. A deadline farther away than the
/// wheel reaches comes up early; who is asked then says when to be asked again.
struct ConnectionWheel<Entry: WheelEntry> {
    private static var bucketCount: Int { 128 }
    private static var grain: Int64 { 1_000_000_000 }

    private var buckets = [[Entry]](repeating: [], count: Self.bucketCount)
    private var count = 0
    /// The second up to which buckets have been emptied.
    private var position: Int64?

    var isEmpty: Bool { count == 0 }

    mutating func insert(_ entry: Entry, deadline: NIODeadline, now: NIODeadline) {
        remove(entry)
        let current = position ?? Self.second(now)
        position = current
        let distance = min(max(Self.second(deadline) + 1 - current, 1), Int64(Self.bucketCount - 1))
        let bucket = Int((current + distance) % Int64(Self.bucketCount))
        entry.wheelPlace = WheelPlace(bucket: bucket, index: buckets[bucket].count)
        buckets[bucket].append(entry)
        count += 1
    }

    mutating func remove(_ entry: Entry) {
        let place = entry.wheelPlace
        guard place.bucket >= 0 else { return }
        entry.wheelPlace = WheelPlace()
        count -= 1
        // The last one of the bucket takes the place of the one that leaves.
        let last = buckets[place.bucket].removeLast()
        guard last !== entry else { return }
        buckets[place.bucket][place.index] = last
        last.wheelPlace = place
    }

    /// Takes out everybody whose time has come.
    mutating func advance(to now: NIODeadline) -> [Entry] {
        let target = Self.second(now)
        guard let current = position, target > current else { return [] }
        var due: [Entry] = []
        for second in (current + 1)...min(target, current + Int64(Self.bucketCount)) {
            let bucket = Int(second % Int64(Self.bucketCount))
            for entry in buckets[bucket] { entry.wheelPlace = WheelPlace() }
            due.append(contentsOf: buckets[bucket])
            buckets[bucket].removeAll(keepingCapacity: true)
        }
        count -= due.count
        position = count == 0 ? nil : target
        return due
    }

    private static func second(_ deadline: NIODeadline) -> Int64 {
        Int64(deadline.uptimeNanoseconds) / grain
    }
}
