import Testing

@testable import FluxRealtime

/// A key that may come again is asked about; what surely was not carried out is not (I4).
@Suite struct PerformedKeysTests {
    private let lifetime = PerformedKeys.lifetimeMilliseconds

    @Test func aNewOwnerAsksAboutEveryKeyAndOneOfLongerStandingOnlyAboutItsOwn() {
        var keys = PerformedKeys(at: 1_000)
        #expect(keys.mayHold(7, at: 1_000))
        #expect(keys.mayHold(7, at: 1_000 + lifetime - 1))
        keys.record(8, at: 1_000 + lifetime - 1)
        #expect(!keys.mayHold(7, at: 1_000 + lifetime))
        #expect(keys.mayHold(8, at: 1_000 + lifetime))
    }

    /// However the changes lie: none is forgotten while it may come again, and none is kept for ever.
    @Test(arguments: [1, 900, 60_000, 119_999, 120_000, 120_001, 500_000] as [UInt64])
    func aKeyIsKnownForALifetimeAndNotForThree(step: UInt64) {
        var keys = PerformedKeys(at: 0)
        let rounds = 4 * lifetime / step + 4
        for round in 0..<rounds {
            let now = round * step
            keys.record(round, at: now)
            let oldest = now < lifetime ? 0 : round - (lifetime - 1) / step
            #expect(keys.mayHold(oldest, at: now))
            if now >= 3 * lifetime { #expect(!keys.mayHold(round - (3 * lifetime + step - 1) / step, at: now)) }
        }
    }
}
