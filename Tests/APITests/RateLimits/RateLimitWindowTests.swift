import Testing

@testable import FluxAPI

/// The counting itself, with time as a number.
@Suite struct RateLimitWindowTests {
    private let rule = RateLimitConfiguration.Rule(tokens: 3, seconds: 2)

    @Test func aWindowHoldsItsTokensAndThenWaits() {
        var window = RateLimitWindow()
        for left in [2, 1, 0] {
            let decision = window.take(rule, at: 1_000_000)
            #expect(decision == RateLimitDecision(isAllowed: true, limit: 3, remaining: left, resetAfter: 2))
        }
        #expect(!window.take(rule, at: 1_500_000).isAllowed)
        #expect(
            window.take(rule, at: 2_500_000)
                == RateLimitDecision(isAllowed: false, limit: 3, remaining: 0, resetAfter: 0.5))
    }

    @Test func whoComesBackWhenToldIsWelcome() {
        var window = RateLimitWindow()
        for _ in 0..<3 { _ = window.take(rule, at: 0) }
        let refused = window.take(rule, at: 700_001)
        let back = 700_001 + Int64((refused.resetAfter * 1_000_000).rounded(.up))
        #expect(window.take(rule, at: back).isAllowed)
    }

    @Test func aRefusalCostsNothing() {
        var window = RateLimitWindow()
        for now in 0..<100 { _ = window.take(rule, at: Int64(now)) }
        #expect(window.used == 3)
        #expect(window.take(rule, at: 2_000_000).remaining == 2)
    }

    @Test func resetAfterIsNeverZero() {
        var window = RateLimitWindow()
        _ = window.take(rule, at: 0)
        #expect(window.take(rule, at: 1_999_999).resetAfter == 0.001)
    }
}
