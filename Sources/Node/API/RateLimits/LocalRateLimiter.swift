import FluxRealtime
import NIOConcurrencyHelpers
import NIOCore

/// Counts calls in this process.
///
/// Bounded: at most `capacity` windows are remembered. When that many are open, closed ones are forgotten first; if there
/// are none, a new caller is let through uncounted, because forgetting an open window would lift someone's limit and
/// refusing would punish a caller who has done nothing.
public final class LocalRateLimiter: RateLimiter {
    private struct Shard: Sendable {
        var windows: [RateLimitKey: RateWindow] = [:]
        var sweepAbove = 1_024
    }

    private static let shardCount = 16
    private let shards: [NIOLockedValueBox<Shard>]
    private let capacityPerShard: Int
    private let milliseconds: @Sendable () -> UInt64

    /// Makes a limiter that remembers at most `capacity` windows and takes its time from `milliseconds`, a clock that does
    /// not go back.
    public init(
        capacity: Int = 1 << 18,
        milliseconds: @escaping @Sendable () -> UInt64 = { NIODeadline.now().uptimeNanoseconds / 1_000_000 }
    ) {
        shards = (0..<Self.shardCount).map { _ in NIOLockedValueBox(Shard()) }
        capacityPerShard = max(1, capacity / Self.shardCount)
        self.milliseconds = milliseconds
    }

    public func take(_ key: RateLimitKey, rule: RateLimitConfiguration.Rule) async -> RateLimitDecision {
        let now = milliseconds()
        let rule = RateWindow.Rule(tokens: rule.tokens, seconds: rule.seconds)
        let index = Int(UInt(bitPattern: key.hashValue) % UInt(Self.shardCount))
        let decision = shards[index].withLockedValue { shard in
            if shard.windows.count >= shard.sweepAbove, shard.windows[key] == nil {
                shard.windows = shard.windows.filter { !$0.value.isOver(at: now) }
                // Sweeping again only after the number has doubled keeps the cost per call constant.
                shard.sweepAbove = min(capacityPerShard, max(1_024, shard.windows.count * 2))
            }
            guard shard.windows.count < capacityPerShard || shard.windows[key] != nil else {
                var window = RateWindow()
                return window.take(rule, at: now)
            }
            return shard.windows[key, default: RateWindow()].take(rule, at: now)
        }
        return RateLimitDecision(decision)
    }

    /// How many windows are remembered.
    var count: Int { shards.reduce(0) { $0 + $1.withLockedValue(\.windows.count) } }
}
