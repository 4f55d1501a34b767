import FluxAPI

/// So many tokens in so many seconds, written `50/10`.
public struct Allowance: Sendable, Hashable, CustomStringConvertible, LosslessStringConvertible {
    /// Tokens in a full bucket, at least 1.
    public var tokens: Int
    /// Seconds in which an empty bucket fills, at least 1.
    public var seconds: Int

    /// An allowance of parts.
    public init(_ tokens: Int, perSeconds seconds: Int) {
        self.tokens = tokens
        self.seconds = seconds
    }

    /// Reads `50/10`; both parts from 1 to 1,000,000; nil for anything else.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let tokens = Int(parts[0]), let seconds = Int(parts[1]),
            (1...1_000_000).contains(tokens), (1...1_000_000).contains(seconds)
        else { return nil }
        self.init(tokens, perSeconds: seconds)
    }

    init(_ rule: RateLimitConfiguration.Rule) {
        self.init(rule.tokens, perSeconds: rule.seconds)
    }

    /// The same in the API's terms.
    var rule: RateLimitConfiguration.Rule {
        RateLimitConfiguration.Rule(tokens: tokens, seconds: seconds)
    }

    /// The form that ``init(_:)`` reads.
    public var description: String { "\(tokens)/\(seconds)" }
}
