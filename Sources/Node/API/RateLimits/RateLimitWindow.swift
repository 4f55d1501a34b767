/// One caller's count in one bucket. A pure value: time is given to it, in microseconds of any clock that does not go back.
///
/// A window opens with the first call after the last one closed and holds so many calls; then it refuses until it closes.
/// That is what the four libraries compute with: they trust that after `Reset-After` seconds they have `Limit` calls
/// again, which a bucket that refills drop by drop would not keep.
struct RateLimitWindow: Sendable, Equatable {
    private(set) var closesAt: Int64
    private(set) var used: Int

    init() {
        closesAt = .min
        used = 0
    }

    /// Whether the window says nothing any more, so that it can be forgotten.
    func isOver(at now: Int64) -> Bool { now >= closesAt }

    /// Counts one call.
    mutating func take(_ rule: RateLimitConfiguration.Rule, at now: Int64) -> RateLimitDecision {
        if isOver(at: now) {
            closesAt = now + Int64(min(rule.seconds, 86_400) * 1_000_000)
            used = 0
        }
        let isAllowed = used < rule.tokens
        if isAllowed { used += 1 }
        return RateLimitDecision(
            isAllowed: isAllowed, limit: rule.tokens, remaining: max(0, rule.tokens - used),
            resetAfter: max(0.001, Double(closesAt - now) / 1_000_000))
    }
}
