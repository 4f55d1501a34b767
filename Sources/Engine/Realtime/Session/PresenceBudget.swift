/// A session may change its presence five times in twenty seconds (protocol 3.6); more is dropped, the last one in time wins.
struct PresenceBudget {
    static let count = 5
    static let windowMilliseconds: UInt64 = 20_000

    private var windowStart: UInt64 = 0
    private var used = 0

    /// Takes one change. - Parameter now: milliseconds of a clock that does not go back. - Returns: whether it is allowed.
    mutating func take(at now: UInt64) -> Bool {
        if now >= windowStart + Self.windowMilliseconds {
            windowStart = now
            used = 0
        }
        guard used < Self.count else { return false }
        used += 1
        return true
    }
}
