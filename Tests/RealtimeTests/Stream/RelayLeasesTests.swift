import FluxCluster
import Testing

@testable import FluxRealtime

/// Who may pass on what, and what has to be asked for anew when that was not so for a while.
@Suite struct RelayLeasesTests {
    private static let owner = NodeID(rawValue: 1)!

    @Test func anAnswerAfterAPauseRevivesTheLeaseAndSaysSo() {
        var leases = RelayLeases()
        _ = leases.renewed(by: Self.owner, askedAt: 100, at: 110)
        let inTime = leases.revived(by: Self.owner, askedAt: 600, at: 610)
        let afterPause = leases.revived(by: Self.owner, askedAt: 3_600, at: 3_610)
        #expect(!inTime && afterPause)
        // The grant that comes next cannot tell any more.
        let hasLapsed = leases.renewed(by: Self.owner, askedAt: 3_605, at: 3_615)
        #expect(!hasLapsed)
    }

    @Test func anAnswerThatComesTooLateLeavesItToTheNextGrant() {
        var leases = RelayLeases()
        _ = leases.renewed(by: Self.owner, askedAt: 100, at: 110)
        let late = 3_000 + RelayLeases.milliseconds
        let isRevived = leases.revived(by: Self.owner, askedAt: 3_000, at: late)
        #expect(!isRevived && !leases.isHeld(from: Self.owner, at: late))
        let hasLapsed = leases.renewed(by: Self.owner, askedAt: late, at: late + 10)
        #expect(hasLapsed)
    }
}
