import FluxCore
import Testing

@testable import FluxRealtime

/// How a user's stream goes on at relays that come from this owner, or from one before it.
struct UserSuccessionTests {
    private let start = StreamPosition(epoch: 5, number: 100)
    private let last = StreamPosition(epoch: 5, number: 103)

    private func next(
        after position: StreamPosition?, shown: UInt64, inherited: StreamPosition? = nil, isHeld: Bool = true
    ) -> UserSuccession.Next {
        var succession = UserSuccession(epoch: 5, start: start)
        succession.inherited = inherited
        succession.inheritedVersion = 7
        return succession.next(
            after: position, RelayView(version: shown), last: last, view: RelayView(version: 9)
        ) { position in
            guard isHeld else { return nil }
            return (position.number + 1...103).map {
                StreamEvent(position: StreamPosition(epoch: 5, number: $0), kind: .messageCreate, body: [])
            }
        }
    }

    private func begins(_ next: UserSuccession.Next) -> Bool {
        guard case .begins(last, RelayView(version: 9)) = next.continuation else { return false }
        return next.replayed.isEmpty && !next.isToBeMadeUpFor
    }

    @Test func aRelayOfThisOwnerIsSentWhatItMissed() {
        let next = next(after: StreamPosition(epoch: 5, number: 102), shown: 8)
        guard case .goesOn = next.continuation else {
            Issue.record("it does not go on")
            return
        }
        #expect(next.replayed.map(\.position.number) == [103] && !next.isToBeMadeUpFor)
        #expect(begins(self.next(after: StreamPosition(epoch: 5, number: 102), shown: 8, isHeld: false)))
    }

    @Test func aRelayOfAnEarlierOwnerGoesOnIfItHasShownWhatStood() {
        let position = StreamPosition(epoch: 4, number: 900)
        let next = next(after: position, shown: 7)
        guard case .succeeds(start, RelayView(version: 7), _) = next.continuation else {
            Issue.record("it does not succeed")
            return
        }
        #expect(next.replayed.map(\.position.number) == [101, 102, 103] && next.isToBeMadeUpFor)
        #expect(begins(self.next(after: position, shown: 6)))
        #expect(begins(self.next(after: position, shown: 7, isHeld: false)))
    }

    @Test func whereTheUserWasHandedOverNothingHasToBeMadeUpFor() {
        let position = StreamPosition(epoch: 4, number: 900)
        let next = next(after: position, shown: 6, inherited: position)
        guard case .succeeds = next.continuation else {
            Issue.record("it does not succeed")
            return
        }
        #expect(!next.isToBeMadeUpFor)
    }

    @Test func whoComesFromBeforeAGapBegins() {
        var succession = UserSuccession(epoch: 5, start: start)
        succession.inheritedVersion = 7
        let gap = StreamPosition(epoch: 5, number: 101)
        succession.passedOver(after: gap)
        for (position, goesOn) in [
            (StreamPosition(epoch: 4, number: 900), false), (start, false), (gap, false),
            (StreamPosition(epoch: 5, number: 102), true),
        ] {
            let next = succession.next(
                after: position, RelayView(version: 7), last: last, view: RelayView(version: 9)
            ) { _ in [] }
            if case .goesOn = next.continuation { #expect(goesOn) } else { #expect(!goesOn && begins(next)) }
        }
    }

    @Test func aRelayThatIsNewOrKnowsNothingBegins() {
        #expect(begins(next(after: nil, shown: 7)))
        #expect(begins(next(after: StreamPosition.none, shown: 7)))
    }
}
