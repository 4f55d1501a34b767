import Testing

@testable import FluxRealtime

/// What is lost between two nodes is noticed though nothing follows it, and though the owner's word of where the stream stands is
/// lost as well (I6).
@Suite struct RelayClaimTests {
    @Test func whoHasAllIsToldNothing() {
        var pair = RelayPair()
        pair.publish()
        pair.carry()
        #expect(pair.follower.shown == [pair.publisher.position])
        let answer = pair.claim()
        #expect(answer.unfounded == [] && answer.behind == [])
        #expect(pair.follower.registrations.count == 1)
    }

    @Test func aLastEventThatIsLostWithItsHeadIsFetched() {
        var pair = RelayPair()
        pair.publish()
        pair.carry()
        pair.publish()
        // The event and the head of this second are swallowed.
        pair.owner.frames = []
        #expect(pair.owner.hub.takeHeads().count == 1)
        #expect(pair.owner.hub.takeHeads().isEmpty)

        let answer = pair.claim()
        #expect(answer.unfounded == [])
        #expect(answer.behind == [StreamHead(key: RelayPair.key, position: pair.publisher.position)])
        pair.follower.hub.receive(answer.behind, from: RelayPair.ownerID)
        #expect(pair.follower.registrations.count == 2)
        pair.register()
        #expect(pair.follower.shown.last == pair.publisher.position && pair.follower.shown.count == 2)
        #expect(pair.claim().behind == [])
    }

    @Test func aStreamThatIsNotSentIsUnfounded() {
        let pair = RelayPair()
        pair.owner.hub.detach(
            RelayPair.followerID, registration: pair.follower.registrations.last, from: RelayPair.key, at: 2)
        let answer = pair.claim()
        #expect(answer.unfounded == [RelayPair.key] && answer.behind == [])
    }
}
