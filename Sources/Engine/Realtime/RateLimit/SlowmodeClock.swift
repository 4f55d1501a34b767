import FluxCore

/// A channel's slow mode: how long ago each member wrote last. Bounded: entries that mean nothing any more are dropped; beyond
/// the capacity new writers are let through uncounted.
struct SlowmodeClock {
    static let sweepAt = 8_192
    static let capacity = 65_536

    private var last = BoundedTable<UserID, UInt64>(sweepAt: sweepAt, capacity: capacity)

    /// Takes one message of a user. - Throws: a 429 with the time to wait, if the last one was less than `seconds` ago.
    mutating func take(_ user: UserID, seconds: Int, at now: UInt64) throws(APIError) {
        guard seconds > 0 else { return }
        let window = UInt64(seconds) * 1000
        if let earlier = last.entries[user], now < earlier + window {
            throw .rateLimited(retryAfter: Double(earlier + window - now) / 1000)
        }
        guard last.hasRoom(for: user, at: now, droppingWhere: { now >= $0 + window }) else { return }
        last.entries[user] = now
    }
}
