import Testing

@testable import flux_bench

@Suite struct ChannelViewTests {
    private func event(_ epoch: Int, _ seq: Int, message: UInt64? = nil) -> LoggedEvent {
        LoggedEvent(
            channel: 0, identity: EventIdentity(kind: .created, message: message ?? UInt64(epoch * 1_000 + seq)),
            place: Place(epoch: epoch, seq: seq))
    }

    private func retraction(of epoch: Int, _ seq: Int) -> LoggedEvent {
        LoggedEvent(
            channel: 0, identity: EventIdentity(kind: .deleted, message: UInt64(epoch * 1_000 + seq)), place: nil,
            retracted: Place(epoch: epoch, seq: seq))
    }

    private func view(_ seqs: ClosedRange<Int>, epoch: Int = 1) -> ChannelView {
        var view = ChannelView(from: Place(epoch: epoch, seq: seqs.lowerBound - 1))
        for seq in seqs { _ = view.take(event(epoch, seq)) }
        return view
    }

    @Test func eventsInOrder() {
        var view = ChannelView(from: Place(epoch: 3, seq: 10))
        #expect(view.head == Place(epoch: 3, seq: 10))
        #expect(view.take(event(3, 11)) == nil)
        #expect(view.take(event(4, 12)) == nil)
        #expect(view.head == Place(epoch: 4, seq: 12))
        #expect(view.missing.isEmpty)
    }

    @Test func doubledLateAndOldEvents() {
        var view = view(11...13)
        #expect(view.take(event(1, 12)) == .duplicate)
        #expect(view.take(event(1, 13)) == .duplicate)
        #expect(view.take(event(1, 5)) == .duplicate)
        #expect(view.take(event(1, 15)) == nil)
        #expect(view.missing == [14])
        #expect(view.take(event(1, 14)) == .disorder)
        #expect(view.missing.isEmpty)
        #expect(Array(view.held.places).map(\.seq) == [11, 12, 13, 14, 15])
        #expect(view.take(event(0, 16)) == .disorder)
    }

    @Test func whatIsTakenBackBeforeItsNumberIsGivenAgain() {
        var view = view(11...13)
        #expect(view.take(retraction(of: 1, 13)) == nil)
        #expect(view.take(retraction(of: 1, 12)) == nil)
        #expect(view.head == Place(epoch: 1, seq: 11))
        #expect(view.retractions == 2)
        #expect(view.take(event(2, 12)) == nil)
        #expect(view.take(event(2, 13)) == nil)
        #expect(view.head == Place(epoch: 2, seq: 13))
        // One that was never shown here.
        #expect(view.take(retraction(of: 1, 14)) == nil)
        #expect(view.retractions == 2)
    }

    @Test func whatIsTakenBackOldestFirst() {
        var view = view(11...13)
        _ = view.take(retraction(of: 1, 12))
        #expect(view.head.seq == 13)
        _ = view.take(retraction(of: 1, 13))
        #expect(view.head.seq == 11)
        #expect(view.taken.isEmpty)
    }

    @Test func aNumberThatIsGivenAgainWithoutAWord() {
        var view = view(11...13)
        #expect(view.take(event(2, 12)) == .replacedSilently)
        #expect(view.head == Place(epoch: 2, seq: 12))
        #expect(view.take(event(2, 13)) == nil)
    }

    /// READY may count what nobody but the dead owner ever showed; the new one gives the numbers again.
    @Test func numbersThatReadyCountedMayComeAgain() {
        var view = ChannelView(from: Place(epoch: 1, seq: 10))
        #expect(view.take(event(2, 9)) == nil)
        #expect(view.take(event(2, 10)) == nil)
        #expect(view.base.seq == 8)
        #expect(Array(view.held.places) == [Place(epoch: 2, seq: 9), Place(epoch: 2, seq: 10)])
    }

    @Test func theLogComesBeforeWhatCameLiveMeanwhile() {
        var view = view(11...12)
        view.beginCatchUp(at: Place(epoch: 1, seq: 14))
        // Live: the end of the old owner's events, taken back, and the new owner's.
        for event in [
            event(1, 15), event(1, 16), retraction(of: 1, 16), retraction(of: 1, 15), event(2, 15), event(2, 16),
        ] {
            #expect(view.take(event) == nil)
        }
        #expect(view.head.seq == 12)
        // The log: 13 is a void.
        let isTaken1 = view.takeLogged(Place(epoch: 1, seq: 14))
        #expect(isTaken1)
        let isTaken2 = view.takeLogged(Place(epoch: 2, seq: 15))
        #expect(isTaken2)
        let isTaken3 = view.takeLogged(Place(epoch: 2, seq: 15))
        #expect(!isTaken3)
        let late = view.endCatchUp()
        #expect(late.isEmpty)
        #expect(
            Array(view.held.places)
                == [(1, 11), (1, 12), (1, 14), (2, 15), (2, 16)].map { Place(epoch: $0.0, seq: $0.1) })
        #expect(view.take(event(2, 17)) == nil)
    }

    /// The page is read after READY was written, so that it may tell what also comes live: before it or behind it, each once.
    @Test func whatTheLogToldComesLiveOnceMore() {
        var view = view(11...12)
        view.beginCatchUp(at: Place(epoch: 1, seq: 13))
        #expect(view.take(event(1, 14)) == nil)
        for seq in 13...15 { _ = view.takeLogged(Place(epoch: 1, seq: seq)) }
        let late = view.endCatchUp()
        #expect(late.isEmpty)
        #expect(view.take(event(1, 15)) == nil)
        #expect(view.take(event(1, 16)) == nil)
        // But 13 was before READY, and 15 has come.
        #expect(view.take(event(1, 13)) == .duplicate)
        #expect(view.take(event(1, 15)) == .duplicate)
    }

    /// The next session's READY was written before a page was read that the former one had asked for.
    @Test func aPageMayTellMoreThanTheNextReadyCounts() {
        var view = view(11...12)
        view.beginCatchUp(at: Place(epoch: 1, seq: 12))
        for seq in 13...15 { _ = view.takeLogged(Place(epoch: 1, seq: seq)) }
        view.beginCatchUp(at: Place(epoch: 1, seq: 13))
        #expect(view.take(event(1, 14)) == nil)
        let late = view.endCatchUp()
        #expect(late.isEmpty)
        #expect(view.take(event(1, 15)) == nil)
        #expect(view.take(event(1, 16)) == nil)
        // But 13 was before READY, and 15 has come.
        #expect(view.take(event(1, 13)) == .duplicate)
        #expect(view.take(event(1, 15)) == .duplicate)
    }

    /// READY was written by an owner who had lost the channel and did not know: what it counted did not survive, and the next
    /// owner gives the numbers again, live and in the log.
    @Test func aLaterOwnersNumbersComeLiveThoughReadyCountedThem() {
        var view = view(11...12)
        view.beginCatchUp(at: Place(epoch: 1, seq: 15))
        for seq in 13...14 { #expect(view.take(event(2, seq)) == nil) }
        for seq in 13...16 { _ = view.takeLogged(Place(epoch: 2, seq: seq)) }
        let late = view.endCatchUp()
        #expect(late.isEmpty)
        for seq in 15...17 { #expect(view.take(event(2, seq)) == nil) }
        #expect(view.take(event(2, 15)) == .duplicate)
        // So it is when the next session begins before that page has come.
        view.beginCatchUp(at: Place(epoch: 1, seq: 17))
        for seq in 16...17 { #expect(view.take(event(2, seq)) == nil) }
        let later = view.endCatchUp()
        #expect(later.isEmpty)
    }

    @Test func whatCameTwiceWhileTheLogWasRead() {
        var view = view(11...12)
        view.beginCatchUp(at: Place(epoch: 1, seq: 12))
        _ = view.take(event(1, 13))
        _ = view.take(event(1, 13))
        _ = view.takeLogged(Place(epoch: 1, seq: 13))
        let late = view.endCatchUp()
        #expect(late.map(\.finding) == [.duplicate])
    }

    @Test func aGapBetweenLogAndLiveIsSeen() {
        var view = view(11...12)
        view.beginCatchUp(at: Place(epoch: 1, seq: 14))
        _ = view.take(event(1, 15))
        let isTaken4 = view.takeLogged(Place(epoch: 1, seq: 13))
        #expect(isTaken4)
        let late = view.endCatchUp()
        #expect(late.isEmpty)
        #expect(view.missing == [14])
    }

    @Test func rolledBack() {
        var view = view(11...15)
        view.beginCatchUp(at: Place(epoch: 1, seq: 14))
        view.rollBack(to: 12)
        #expect(view.rolledBack == 3)
        #expect(view.head == Place(epoch: 1, seq: 12))
        let isTaken5 = view.takeLogged(Place(epoch: 2, seq: 13))
        #expect(isTaken5)
        view.rollBack(to: 9)
        #expect(view.base.seq == 9)
        #expect(view.held.isEmpty)
    }
}
