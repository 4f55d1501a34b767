import Testing

@testable import FluxRealtime

/// Nothing is sent to where nobody listens, and nothing is kept for nodes that are gone.
@Suite struct RelaySweepTests {
    @Test func aNodeThatIsGoneIsNoListener() {
        let pair = RelayPair()
        pair.owner.hub.sweep(at: 2) { _ in true }
        #expect(pair.owner.hub.hasSubscribers(RelayPair.key))
        pair.owner.hub.sweep(at: 3) { $0 != RelayPair.followerID }
        #expect(!pair.owner.hub.hasSubscribers(RelayPair.key))
    }

    @Test func aNodeThatComesBackIsSentWhatItMissed() {
        var pair = RelayPair()
        pair.publish()
        pair.carry()
        pair.owner.hub.sweep(at: 2) { _ in false }
        pair.publish()
        pair.carry()
        #expect(pair.follower.shown.count == 1)
        // It notices that its lease had run out.
        pair.follower.hub.mistrust(RelayPair.ownerID)
        pair.register()
        #expect(pair.owner.hub.hasSubscribers(RelayPair.key))
        #expect(pair.follower.shown.count == 2 && pair.follower.shown.last == pair.publisher.position)
    }

    @Test func anOwnerThatIsNotInMemoryIsAskedAlsoOnItsNode() {
        let node = HubNode(RelayPair.ownerID, isHome: true)
        node.hub.subscribe(loop: 0, to: RelayPair.key, at: 1, position: nil)
        #expect(node.registrations == [1] && node.hub.position(of: RelayPair.key) == nil)
        var publisher = StreamPublisher(key: RelayPair.key, epoch: 3, at: 1)
        let welcome = RelayWelcome(
            owner: RelayPair.ownerID, continuation: .begins(publisher.position, RelayView(version: 0)))
        node.hub.answered(RelayPair.key, registration: 1, welcome)
        node.hub.publish(publisher.next(.userUpdate, body: [], audience: .everyone), of: RelayPair.key)
        node.endTurn()
        #expect(node.shown == [publisher.position])
    }

    @Test func anOwnerThatBeginsIsFollowedFromItsBeginning() {
        let node = HubNode(RelayPair.ownerID, isHome: true)
        node.hub.subscribe(loop: 0, to: RelayPair.key, at: 1, position: nil)
        var isReady: Bool?
        node.hub.whenReady(RelayPair.key) { isReady = $0 }
        var publisher = StreamPublisher(key: RelayPair.key, epoch: 3, at: 1)
        let start = publisher.position
        node.hub.streamBegan(RelayPair.key, at: start, now: 2)
        #expect(isReady == true)
        node.hub.publish(publisher.next(.userUpdate, body: [], audience: .everyone), of: RelayPair.key)
        // What was asked is answered too late to matter.
        node.hub.answered(
            RelayPair.key, registration: 1,
            RelayWelcome(owner: RelayPair.ownerID, continuation: .begins(publisher.position, RelayView(version: 0))))
        node.endTurn()
        #expect(node.shown == [publisher.position])
        // Nodes that come from an earlier owner get all of it.
        #expect(node.hub.emitted(RelayPair.key, after: start)?.count == 1)
    }

    @Test func aRelayIsForgottenAMinuteAfterItsLastListener() {
        let pair = RelayPair()
        pair.follower.hub.unsubscribe(loop: 0, from: RelayPair.key, at: 10)
        pair.follower.hub.sweep(at: 9 + RelayHub.idleMilliseconds) { _ in true }
        #expect(pair.follower.ended == [])
        pair.follower.hub.sweep(at: 10 + RelayHub.idleMilliseconds) { _ in true }
        #expect(pair.follower.ended == pair.follower.registrations)
        #expect(pair.follower.hub.position(of: RelayPair.key) == nil)
    }

    @Test func whatIsMissedByARelayWithoutListenersEndsIt() {
        var pair = RelayPair()
        pair.follower.hub.unsubscribe(loop: 0, from: RelayPair.key, at: 10)
        pair.publish()
        pair.owner.frames = []
        pair.publish()
        pair.carry()
        #expect(pair.follower.registrations.count == 1)
        #expect(pair.follower.ended == pair.follower.registrations)
    }
}
