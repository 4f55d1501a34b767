import FluxCore

/// What is limited per person and channel (protocol 3.6).
public enum ChannelBucket: UInt8, Sendable, CaseIterable {
    case messageCreate = 1
    case messageChange = 2
    case bulkDelete = 3
    case reaction = 4
    case typing = 5
}

/// The limits of one channel. They live in the channel, so that they hold however a caller comes and on whichever node
/// (design 8). Bounded: windows that are over are dropped; beyond the capacity new ones are not counted.
struct ChannelRateLimits {
    static let sweepAt = 4_096
    static let capacity = 65_536

    private struct Key: Hashable {
        var bucket: ChannelBucket
        var userID: UserID
    }

    private let rules: [ChannelBucket: RateWindow.Rule]
    private var windows = BoundedTable<Key, RateWindow>(sweepAt: sweepAt, capacity: capacity)

    /// - Parameter rules: a bucket without one is not limited.
    init(_ rules: [ChannelBucket: RateWindow.Rule]) { self.rules = rules }

    /// Takes one use; nil where nothing is limited.
    mutating func take(_ bucket: ChannelBucket, by userID: UserID, at now: UInt64) -> RateWindow.Decision? {
        guard let rule = rules[bucket] else { return nil }
        let key = Key(bucket: bucket, userID: userID)
        guard windows.hasRoom(for: key, at: now, droppingWhere: { $0.isOver(at: now) }) else {
            var window = RateWindow()
            return window.take(rule, at: now)
        }
        return windows.entries[key, default: RateWindow()].take(rule, at: now)
    }
}
