import FluxCluster
import NIOConcurrencyHelpers
import Testing

@testable import FluxRealtime

@Suite struct PendingConfirmationsTests {
    private static let second = NodeID(rawValue: 2)!
    private static let third = NodeID(rawValue: 3)!

    @Test func aMatterIsOverWhenAllHaveConfirmedItThemselves() {
        var pending = PendingConfirmations<Int>()
        let ends = Ends()
        let first = pending.begin(1, peers: [Self.second, Self.third]) { ends.note(1) }
        let other = pending.begin(2, peers: [Self.second]) { ends.note(2) }
        #expect(pending.confirmed(first, by: Self.second) == nil)
        // Again, and by one that was not asked.
        #expect(pending.confirmed(first, by: Self.second) == nil)
        #expect(pending.confirmed(first, by: NodeID(rawValue: 4)!) == nil)
        #expect(pending.outstanding.map(\.ticket).sorted() == [first, other])
        pending.confirmed(first, by: Self.third)?()
        #expect(ends.noted == [1])
        #expect(pending.outstanding.map(\.waiting.subject) == [2])
        #expect(pending.confirmed(first, by: Self.third) == nil)
    }

    @Test func whoIsLetGoIsWaitedForNowhere() {
        var pending = PendingConfirmations<Int>()
        let ends = Ends()
        _ = pending.begin(1, peers: [Self.second]) { ends.note(1) }
        let both = pending.begin(2, peers: [Self.second, Self.third]) { ends.note(2) }
        for complete in pending.release(where: { $0 == Self.second }) { complete() }
        #expect(ends.noted == [1])
        #expect(pending.outstanding.map(\.waiting.peers) == [[Self.third]])
        pending.confirmed(both, by: Self.third)?()
        #expect(ends.noted == [1, 2])
    }

    @Test func whatIsAbandonedCallsNobodyBack() {
        var pending = PendingConfirmations<Int>()
        let ends = Ends()
        let ticket = pending.begin(1, peers: [Self.second]) { ends.note(1) }
        pending.abandon(ticket)
        #expect(pending.confirmed(ticket, by: Self.second) == nil)
        #expect(pending.release { _ in true }.isEmpty)
        #expect(ends.noted.isEmpty && pending.outstanding.isEmpty)
    }
}

/// What was called back, in its order.
private final class Ends: Sendable {
    private let box = NIOLockedValueBox<[Int]>([])

    var noted: [Int] { box.withLockedValue { $0 } }

    func note(_ number: Int) { box.withLockedValue { $0.append(number) } }
}
