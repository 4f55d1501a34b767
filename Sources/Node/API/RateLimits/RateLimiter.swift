import FluxCore
import FluxRealtime

/// Whose calls are counted together.
public struct RateLimitKey: Hashable, Sendable {
    /// The bucket; nil for the limit over all routes.
    public let bucket: RateLimitBucket?
    /// The caller.
    public let subject: Subject
    /// The channel, guild or webhook of the path; 0 where there is none.
    public let major: UInt64

    /// A caller: a user, or an address where there is no user yet.
    public enum Subject: Hashable, Sendable {
        case user(UserID)
        case address([UInt8])
    }

    /// Makes a key.
    public init(bucket: RateLimitBucket?, subject: Subject, major: UInt64 = 0) {
        self.bucket = bucket
        self.subject = subject
        self.major = major
    }
}

/// What became of one call at its limit, in the words of the answer's headers.
public struct RateLimitDecision: Hashable, Sendable {
    /// Whether the call goes on.
    public var isAllowed: Bool
    /// Calls in one window.
    public var limit: Int
    /// Calls left in this window.
    public var remaining: Int
    /// Seconds until the window is new.
    public var resetAfter: Double

    /// Makes a decision.
    public init(isAllowed: Bool, limit: Int, remaining: Int, resetAfter: Double) {
        self.isAllowed = isAllowed
        self.limit = limit
        self.remaining = remaining
        self.resetAfter = resetAfter
    }

    /// The decision of a window of the engine's.
    init(_ decision: RateWindow.Decision) {
        self.init(
            isAllowed: decision.isAllowed, limit: decision.limit, remaining: decision.remaining,
            resetAfter: Double(decision.resetAfterMilliseconds) / 1_000)
    }
}

/// Counts calls. Where the counts are kept (in this process, in the channel's actor, with the user's actor) is the
/// limiter's business.
public protocol RateLimiter: Sendable {
    /// Counts one call and says whether it may go on.
    func take(_ key: RateLimitKey, rule: RateLimitConfiguration.Rule) async -> RateLimitDecision
}
