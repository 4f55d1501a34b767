import FluxCluster
import FluxCore
import Testing

@testable import FluxRealtime

/// What is lost between two nodes is noticed though nothing follows it, and though the owner's word of where the stream stands is
/// lost as well (I6).
@Suite struct RelayClaimTests {
    private static let key = StreamKey.user(UserID(7))
    private static let owner = NodeID(rawValue: 1)!
    private static let follower = NodeID(rawValue: 2)!

    /// A hub whose frames, calls and loops are lists.
    private final class Node {
        var work: [() -> Void] = []
        var frames: [[RelayHub.Entry]] = []
        var registrations: [UInt64] = []
        var shown: [StreamPosition] = []
        private(set) var hub: RelayHub!

        init(_ id: NodeID, isHome: Bool) {
            hub = RelayHub(
                loopCount: 1, node: id,
                ways: RelayHub.Ways(
                    atEndOfTurn: { [unowned self] in work.append($0) },
                    handOver: { [unowned self] _, events in shown += events.map(\.event.position) },
                    breakOff: { _, _ in Issue.record("the stream breaks") },
                    succeed: { _, _, _ in },
                    whenWritten: { _, completion in completion() },
                    send: { [unowned self] _, events in
                        frames.append(events)
                        return true
                    },
                    register: { [unowned self] _, relay in registrations.append(relay.registration) },
                    unregister: { _, _, _ in },
                    sendAway: { _, _ in },
                    isHome: { _ in isHome }))
        }

        func endTurn() {
            while !work.isEmpty { work.removeFirst()() }
        }
    }

    /// An owner and a follower that has been sent all so far.
    private struct Pair {
        let owner = Node(RelayClaimTests.owner, isHome: true)
        let follower = Node(RelayClaimTests.follower, isHome: false)
        var publisher = StreamPublisher(key: RelayClaimTests.key, epoch: 3, at: 1)

        init() {
            owner.hub.streamBegan(key, at: publisher.position, now: 1)
            follower.hub.subscribe(loop: 0, to: key, at: 1, position: .none)
            register()
        }

        /// The follower's last registration is answered.
        func register() {
            guard let number = follower.registrations.last else { return }
            let missed = follower.shown.last.flatMap { owner.hub.emitted(key, after: $0) }
            owner.hub.attach(RelayClaimTests.follower, registration: number, to: key, replaying: missed ?? [])
            follower.hub.answered(
                key, registration: number,
                RelayWelcome(
                    owner: RelayClaimTests.owner,
                    continuation: missed == nil ? .begins(publisher.position, RelayView(version: 0)) : .goesOn))
            carry()
        }

        mutating func publish() {
            owner.hub.publish(publisher.next(.userUpdate, body: [], audience: .everyone), of: key)
            owner.endTurn()
        }

        /// Brings to the follower what is on its way.
        func carry() {
            owner.endTurn()
            for frame in owner.frames { follower.hub.receive(frame, from: RelayClaimTests.owner) }
            owner.frames = []
            follower.endTurn()
        }

        /// The follower says what it follows; what it is answered.
        func claim() -> (unfounded: [StreamKey], behind: [StreamHead]) {
            let claims = follower.hub.claims
            #expect(Array(claims.keys) == [RelayClaimTests.owner])
            return owner.hub.judge(claims[RelayClaimTests.owner] ?? [], of: RelayClaimTests.follower)
        }

        private var key: StreamKey { RelayClaimTests.key }
    }

    @Test func whoHasAllIsToldNothing() {
        var pair = Pair()
        pair.publish()
        pair.carry()
        #expect(pair.follower.shown == [pair.publisher.position])
        let answer = pair.claim()
        #expect(answer.unfounded == [] && answer.behind == [])
        #expect(pair.follower.registrations.count == 1)
    }

    @Test func aLastEventThatIsLostWithItsHeadIsFetched() {
        var pair = Pair()
        pair.publish()
        pair.carry()
        pair.publish()
        // The event and the head of this second are swallowed.
        pair.owner.frames = []
        #expect(pair.owner.hub.takeHeads().count == 1)
        #expect(pair.owner.hub.takeHeads().isEmpty)

        let answer = pair.claim()
        #expect(answer.unfounded == [])
        #expect(answer.behind == [StreamHead(key: Self.key, position: pair.publisher.position)])
        pair.follower.hub.receive(answer.behind, from: Self.owner)
        #expect(pair.follower.registrations.count == 2)
        pair.register()
        #expect(pair.follower.shown.last == pair.publisher.position && pair.follower.shown.count == 2)
        #expect(pair.claim().behind == [])
    }

    @Test func aStreamThatIsNotSentIsUnfounded() {
        let pair = Pair()
        pair.owner.hub.detach(Self.follower, registration: pair.follower.registrations.last, from: Self.key, at: 2)
        let answer = pair.claim()
        #expect(answer.unfounded == [Self.key] && answer.behind == [])
    }
}
