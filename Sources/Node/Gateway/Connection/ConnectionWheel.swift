import NIOCore

/// The deadlines of many connections in 128 buckets of one second each.
///
/// Inserting, moving and removing cost a few steps whatever the number of connections. A deadline farther away than the
/// wheel reaches comes up early; who is asked then says when to be asked again.
struct ConnectionWheel {
    /// Where a connection stands in the wheel. Kept by the connection, changed only by the wheel.
    struct Place {
        fileprivate var bucket = -1
        fileprivate var index = -1
    }

    private static let bucketCount = 128
    private static let grain = Int64(1_000_000_000)

    private var buckets = [[GatewayHandler]](repeating: [], count: bucketCount)
    private var count = 0
    /// The second up to which buckets have been emptied.
    private var position: Int64?

    var isEmpty: Bool { count == 0 }

    mutating func insert(_ handler: GatewayHandler, deadline: NIODeadline, now: NIODeadline) {
        remove(handler)
        let current = position ?? Self.second(now)
        position = current
        let distance = min(max(Self.second(deadline) + 1 - current, 1), Int64(Self.bucketCount - 1))
        let bucket = Int((current + distance) % Int64(Self.bucketCount))
        handler.wheelPlace = Place(bucket: bucket, index: buckets[bucket].count)
        buckets[bucket].append(handler)
        count += 1
    }

    mutating func remove(_ handler: GatewayHandler) {
        let place = handler.wheelPlace
        guard place.bucket >= 0 else { return }
        handler.wheelPlace = Place()
        count -= 1
        // The last one of the bucket takes the place of the one that leaves.
        let last = buckets[place.bucket].removeLast()
        guard last !== handler else { return }
        buckets[place.bucket][place.index] = last
        last.wheelPlace = place
    }

    /// Takes out everybody whose time has come.
    mutating func advance(to now: NIODeadline) -> [GatewayHandler] {
        let target = Self.second(now)
        guard let current = position, target > current else { return [] }
        var due: [GatewayHandler] = []
        for second in (current + 1)...min(target, current + Int64(Self.bucketCount)) {
            let bucket = Int(second % Int64(Self.bucketCount))
            for handler in buckets[bucket] { handler.wheelPlace = Place() }
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
