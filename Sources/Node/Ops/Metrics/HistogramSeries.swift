import CoreMetrics
import NIOConcurrencyHelpers

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A histogram with one set of labels.
///
/// Its counts are spread over a few locks, chosen by the thread, so that event loops do not wait for each other; a
/// scrape sums them up.
final class HistogramSeries: TimerHandler, RecorderHandler {
    /// Counts of all buckets, not cumulative; the last is for what exceeds every bound.
    struct Snapshot: Equatable {
        var counts: [UInt64]
        var sum: Double = 0

        var total: UInt64 { counts.reduce(0, +) }
    }

    private final class Shard: Sendable {
        let state: NIOLockedValueBox<Snapshot>

        init(buckets: Int) {
            state = NIOLockedValueBox(Snapshot(counts: Array(repeating: 0, count: buckets + 1)))
        }
    }

    /// Enough for the few threads of a node; a power of two.
    private static let shardCount = 8

    let bounds: [Double]
    private let shards: [Shard]

    init(bounds: [Double]) {
        self.bounds = bounds
        shards = (0..<Self.shardCount).map { _ in Shard(buckets: bounds.count) }
    }

    func record(_ value: Int64) {
        record(Double(value))
    }

    func record(_ value: Double) {
        guard value.isFinite else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        shards[Self.shardOfThread].state.withLockedValue { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    /// Records seconds.
    func recordNanoseconds(_ duration: Int64) {
        record(Double(duration) / 1e9)
    }

    func snapshot() -> Snapshot {
        shards.reduce(into: Snapshot(counts: Array(repeating: 0, count: bounds.count + 1))) { sum, shard in
            let part = shard.state.withLockedValue { $0 }
            for index in sum.counts.indices {
                sum.counts[index] += part.counts[index]
            }
            sum.sum += part.sum
        }
    }

    /// Threads are mapped by the address of their stack or descriptor, which differs in the higher bits.
    private static var shardOfThread: Int {
        let identity = UInt(bitPattern: pthread_self().hashValue) &* 0x9E37_79B9_7F4A_7C15
        return Int(identity >> 61) & (shardCount - 1)
    }
}
