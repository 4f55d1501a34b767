import FluxCluster
import FluxCore
import Testing

@testable import FluxRealtime

/// An owner's hub and a follower's that has been sent all so far.
struct RelayPair {
    static let key = StreamKey.user(UserID(7))
    static let ownerID = NodeID(rawValue: 1)!
    static let followerID = NodeID(rawValue: 2)!

    let owner = HubNode(Self.ownerID, isHome: true)
    let follower = HubNode(Self.followerID, isHome: false)
    private(set) var publisher = StreamPublisher(key: Self.key, epoch: 3, at: 1)

    init() {
        owner.hub.streamBegan(Self.key, at: publisher.position, now: 1)
        follower.hub.subscribe(loop: 0, to: Self.key, at: 1, position: .none)
        register()
    }

    /// The follower's last registration is answered.
    func register() {
        guard let number = follower.registrations.last else { return }
        let missed = follower.shown.last.flatMap { owner.hub.emitted(Self.key, after: $0) }
        owner.hub.attach(Self.followerID, registration: number, to: Self.key, replaying: missed ?? [])
        follower.hub.answered(
            Self.key, registration: number,
            RelayWelcome(
                owner: Self.ownerID,
                continuation: missed == nil ? .begins(publisher.position, RelayView(version: 0)) : .goesOn))
        carry()
    }

    mutating func publish() {
        owner.hub.publish(publisher.next(.userUpdate, body: [], audience: .everyone), of: Self.key)
        owner.endTurn()
    }

    /// Brings to the follower what is on its way.
    func carry() {
        owner.endTurn()
        for frame in owner.frames { follower.hub.receive(frame, from: Self.ownerID) }
        owner.frames = []
        follower.endTurn()
    }

    /// The follower says what it follows; what it is answered.
    func claim() -> (unfounded: [StreamKey], behind: [StreamHead]) {
        let claims = follower.hub.claims
        #expect(Array(claims.keys) == [Self.ownerID])
        return owner.hub.judge(claims[Self.ownerID] ?? [], of: Self.followerID)
    }
}
