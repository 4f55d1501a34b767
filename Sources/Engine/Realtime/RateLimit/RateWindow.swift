/// One caller's use of one limit in a fixed window, which opens with the first use (protocol 3.6). A value without a clock.
public struct RateWindow: Sendable, Equatable {
    /// How many uses a window allows, and how long it lasts.
    public struct Rule: Sendable, Equatable {
        public var tokens: Int
        public var milliseconds: UInt64

        public init(tokens: Int, seconds: Int) {
            self.tokens = tokens
            milliseconds = UInt64(seconds) * 1000
        }
    }

    /// What became of one use.
    public struct Decision: Sendable, Equatable {
        public var isAllowed: Bool
        /// Uses that a window allows.
        public var limit: Int
        /// Uses left in this window.
        public var remaining: Int
        /// Milliseconds until the window ends, at least 1.
        public var resetAfterMilliseconds: UInt64

        public init(isAllowed: Bool, limit: Int, remaining: Int, resetAfterMilliseconds: UInt64) {
            self.isAllowed = isAllowed
            self.limit = limit
            self.remaining = remaining
            self.resetAfterMilliseconds = resetAfterMilliseconds
        }
    }

    private var closesAt: UInt64 = 0
    private var used = 0

    public init() {}

    /// Whether nothing is lost by forgetting the window.
    public func isOver(at now: UInt64) -> Bool { now >= closesAt }

    /// Takes one use. - Parameter now: milliseconds of a clock that does not go back.
    public mutating func take(_ rule: Rule, at now: UInt64) -> Decision {
        if isOver(at: now) {
            closesAt = now + rule.milliseconds
            used = 0
        }
        let isAllowed = used < rule.tokens
        if isAllowed { used += 1 }
        return Decision(
            isAllowed: isAllowed, limit: rule.tokens, remaining: max(0, rule.tokens - used),
            resetAfterMilliseconds: max(1, closesAt - now))
    }
}
