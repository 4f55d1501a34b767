import NIOCore
import Testing

@testable import FluxGateway

/// When frames leave, and how many may wait.
@Suite struct OutboundLimitTests {
    private static func moment(_ milliseconds: Int64) -> NIODeadline {
        .uptimeNanoseconds(UInt64(milliseconds) * 1_000_000)
    }

    @Test func theFirstBatchAfterAPauseLeavesAtOnceAndWhatFollowsIsCollected() {
        var window = BatchWindow(length: .milliseconds(8))
        #expect(window.decide(at: Self.moment(100)) == .send)
        #expect(window.decide(at: Self.moment(103)) == .collect(for: .milliseconds(5)))
        #expect(window.decide(at: Self.moment(104)) == .collecting)
        window.close()
        #expect(window.decide(at: Self.moment(108)) == .send)
        // The timer may be early.
        window.close()
        #expect(window.decide(at: Self.moment(115)) == .collect(for: .milliseconds(1)))
        window.close()
        #expect(window.decide(at: Self.moment(300)) == .send)
    }

    @Test func withoutAWindowNothingWaits() {
        var window = BatchWindow(length: .zero)
        for time in [1, 1, 2] as [Int64] { #expect(window.decide(at: Self.moment(time)) == .send) }
    }

    @Test func aNewSessionMayHaveMoreWaiting() {
        var limit = UnsentLimit(usual: 10, opening: 100)
        limit.sessionBegins(at: Self.moment(0))
        limit.check(100, at: Self.moment(20_000))
        // It has not read what it was told first, however long that takes.
        #expect(!limit.isExceeded)
        limit.everythingIsSent()
        limit.check(100, at: Self.moment(9_999))
        #expect(!limit.isExceeded)
        limit.check(10, at: Self.moment(10_000))
        #expect(!limit.isExceeded)
        limit.check(11, at: Self.moment(10_000))
        #expect(limit.isExceeded)
    }

    @Test func theLargerLimitIsALimitToo() {
        var limit = UnsentLimit(usual: 10, opening: 100)
        limit.sessionBegins(at: Self.moment(0))
        limit.check(101, at: Self.moment(1))
        #expect(limit.isExceeded)
    }
}
