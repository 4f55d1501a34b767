import FluxCore
import NIOConcurrencyHelpers
import Testing

@testable import FluxAPI

@Suite struct LocalRateLimiterTests {
    private let rule = RateLimitConfiguration.Rule(tokens: 1, seconds: 1)

    @Test func callersAndPlacesAreCountedApart() async {
        let limiter = LocalRateLimiter(milliseconds: { 0 })
        let first = RateLimitKey(bucket: .typing, subject: .user(1), major: 10)
        let others = [
            RateLimitKey(bucket: .typing, subject: .user(2), major: 10),
            RateLimitKey(bucket: .typing, subject: .user(1), major: 11),
            RateLimitKey(bucket: .reaction, subject: .user(1), major: 10),
            RateLimitKey(bucket: nil, subject: .user(1)),
            RateLimitKey(bucket: .typing, subject: .address([1]), major: 10),
        ]
        #expect(await limiter.take(first, rule: rule).isAllowed)
        #expect(await !limiter.take(first, rule: rule).isAllowed)
        for other in others { #expect(await limiter.take(other, rule: rule).isAllowed) }
    }

    @Test func memoryIsBounded() async {
        let now = NIOLockedValueBox<UInt64>(0)
        let limiter = LocalRateLimiter(capacity: 32_000, milliseconds: { now.withLockedValue { $0 } })
        for user in 1...100_000 as ClosedRange<UInt64> {
            let decision = await limiter.take(
                RateLimitKey(bucket: .typing, subject: .user(Snowflake(user))), rule: rule)
            #expect(decision.isAllowed)
            if user.isMultiple(of: 100) { await Task.yield() }
        }
        #expect(limiter.count <= 32_000)
        // Once the windows are closed, new callers push them out and are counted again.
        now.withLockedValue { $0 = 2_000 }
        for user in 200_000...200_100 as ClosedRange<UInt64> {
            let key = RateLimitKey(bucket: .typing, subject: .user(Snowflake(user)))
            #expect(await limiter.take(key, rule: rule).isAllowed)
            #expect(await !limiter.take(key, rule: rule).isAllowed)
        }
    }
}
