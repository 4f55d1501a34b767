import FluxCore

/// A channel's slow mode: how long ago each member wrote last. Bounded: entries that mean nothing any more are dropped.
struct SlowmodeClock {
    static let sweepAt = 10_000

    private var last: [UserID: UInt64] = [:]

    /// Takes one message of a user. - Throws: a 429 with the time to wait, if the last one was less than `seconds` ago.
    mutating func take(_ user: UserID, seconds: Int, at now: UInt64) throws(APIError) {
        guard seconds > 0 else { return }
        let window = UInt64(seconds) * 1000
        if let earlier = last[user], now < earlier + window {
            throw .rateLimited(retryAfter: Double(earlier + window - now) / 1000)
        }
        if last.count >= Self.sweepAt { last = last.filter { now < $0.value + window } }
        last[user] = now
    }
}
