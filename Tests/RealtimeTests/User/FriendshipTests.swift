import FluxCore
import FluxFuzzing
import FluxStore
import Testing

@testable import FluxRealtime

/// How two people come to be friends and cease to be, by plain calls (protocol 9.1).
struct FriendshipTests {
    private let ada = PeerWorld.ada
    private let bob = PeerWorld.bob

    /// Two people who are friends, with nothing on its way and nothing shown.
    private func friends() throws -> PeerWorld {
        var world = PeerWorld()
        try world.perform(.requestFriend(bob), by: ada)
        try world.deliverAll()
        try world.perform(.setRelationship(ada), by: bob)
        try world.deliverAll()
        _ = (world.takeShown(ada), world.takeShown(bob))
        return world
    }

    @Test func askingShowsEachTheirSide() throws {
        var world = PeerWorld()
        try world.perform(.requestFriend(bob), by: ada)
        #expect(world.takeShown(ada) == [.added(4)])
        try world.deliverAll()
        #expect(world.takeShown(bob) == [.added(3, notifies: true)])
        // A repeat of a request that stands says nothing to anybody.
        #expect(try world.perform(.requestFriend(bob), by: ada) == UserPlan())
        #expect(world.waiting.isEmpty)
    }

    @Test(arguments: [UserOperation.setRelationship(PeerWorld.ada), .requestFriend(PeerWorld.ada)])
    func acceptingMakesFriendsOfBoth(accept: UserOperation) throws {
        var world = PeerWorld()
        try world.perform(.requestFriend(bob), by: ada)
        try world.deliverAll()
        _ = (world.takeShown(ada), world.takeShown(bob))
        try world.perform(accept, by: bob)
        #expect(world.takeShown(bob) == [.added(1)])
        #expect(world.outcomes[bob]?.newFriends == [ada])
        try world.deliverAll()
        #expect(world.takeShown(ada) == [.added(1)])
        #expect(world.outcomes[ada]?.newFriends == [bob])
    }

    @Test func requestsThatCrossMakeFriends() throws {
        var world = PeerWorld()
        try world.perform(.requestFriend(bob), by: ada)
        try world.perform(.requestFriend(ada), by: bob)
        try world.deliverAll()
        #expect(world.kind(ada, bob) == .friend && world.kind(bob, ada) == .friend)
    }

    @Test func eitherEndsAFriendship() throws {
        for (ender, other) in [(ada, bob), (bob, ada)] {
            var world = try friends()
            try world.perform(.removeRelationship(other), by: ender)
            try world.deliverAll()
            #expect(world.takeShown(ender) == [.removed(1)])
            #expect(world.takeShown(other) == [.removed(1)])
            // And what was said before counts no more: a new request is one.
            try world.perform(.requestFriend(ender), by: other)
            try world.deliverAll()
            #expect(world.kind(other, ender) == .outgoing && world.kind(ender, other) == .incoming)
        }
    }

    @Test func aRequestIsWithdrawnOrDeclined() throws {
        for ender in [ada, bob] {
            var world = PeerWorld()
            try world.perform(.requestFriend(bob), by: ada)
            try world.deliverAll()
            _ = (world.takeShown(ada), world.takeShown(bob))
            try world.perform(.removeRelationship(ender == ada ? bob : ada), by: ender)
            try world.deliverAll()
            #expect(world.takeShown(ada) == [.removed(4)])
            #expect(world.takeShown(bob) == [.removed(3)])
        }
    }

    @Test func aBlockIsSeenByTheOtherOneAsAnEnd() throws {
        var world = try friends()
        try world.perform(.setRelationship(bob), by: ada, ["type": 2])
        #expect(world.takeShown(ada) == [.added(2)])
        #expect(world.outcomes[ada]?.blockingChanged == [bob])
        try world.deliverAll()
        #expect(world.takeShown(bob) == [.removed(1)])
        #expect(world.outcomes[bob]?.blockingChanged == [ada])
        #expect(throws: APIError.friendRequestBlocked) { try world.perform(.requestFriend(ada), by: bob) }
        #expect(throws: APIError.friendRequestBlocked) { try world.perform(.requestFriend(bob), by: ada) }

        try world.perform(.removeRelationship(bob), by: ada)
        try world.deliverAll()
        #expect(world.takeShown(ada) == [.removed(2)])
        #expect(world.takeShown(bob) == [])
        try world.perform(.requestFriend(ada), by: bob)
        try world.deliverAll()
        #expect(world.kind(ada, bob) == .incoming)
    }

    @Test func aStrangerWhoIsBlockedLearnsNothing() throws {
        var world = PeerWorld()
        try world.perform(.setRelationship(bob), by: ada, ["type": 2])
        try world.deliverAll()
        #expect(world.takeShown(ada) == [.added(2)])
        #expect(world.takeShown(bob) == [])
        #expect(world.people[bob]?.isBlocked(with: ada) == true)
    }

    @Test func refusals() throws {
        var world = PeerWorld()
        world.closed = [bob]
        #expect(throws: APIError.friendRequestsClosed) { try world.perform(.requestFriend(bob), by: ada) }
        #expect(throws: APIError.friendRequestsClosed) { try world.perform(.requestFriend(PeerWorld.robot), by: ada) }
        #expect(throws: APIError.friendRequestToSelf) { try world.perform(.requestFriend(ada), by: ada) }
        #expect(throws: APIError.friendRequestUnknownUser) { try world.perform(.requestFriend(UserID(77)), by: ada) }
        #expect(throws: APIError.onlyPeople) { try world.perform(.listRelationships, by: PeerWorld.robot) }
        #expect(throws: APIError.unknownUser) {
            try world.perform(.updateRelationship(bob), by: ada, ["nickname": "b"])
        }
        #expect(throws: APIError.self) { try world.perform(.setRelationship(bob), by: ada, ["type": 7]) }
        // Nobody is asked, and nobody hears of it.
        #expect(try world.perform(.removeRelationship(bob), by: ada) == UserPlan())
        #expect(world.waiting.isEmpty && world.takeShown(ada).isEmpty)
    }

    @Test func aNicknameIsOnesOwn() throws {
        var world = try friends()
        try world.perform(.updateRelationship(bob), by: ada, ["nickname": "Bobby"])
        #expect(world.takeShown(ada) == [PeerWorld.Shown(kind: .relationshipUpdate, type: 1, notifies: false)])
        #expect(world.waiting.isEmpty)
        try world.perform(.removeRelationship(bob), by: ada)
        try world.deliverAll()
        #expect(world.people[ada]?.relationships[bob]?.nickname == nil)
    }

    /// Whatever the two do, and in whichever order, late or twice, they hear of each other: in the end both have the same two
    /// halves, what the one is to the other fits what the other is to the one, and each one's clients were told as much.
    @Test func bothSidesAgreeInTheEndWhateverTheDeliveries() throws {
        for seed in UInt64(1)...600 {
            var generator = SeededGenerator(seed: seed)
            var world = PeerWorld()
            world.skew = [bob: UInt64.random(in: 0...200, using: &generator)]
            var told: [UserID: [PeerWorld.Shown]] = [:]
            for _ in 0..<40 {
                let own = Bool.random(using: &generator) ? ada : bob
                let peer = own == ada ? bob : ada
                switch Int.random(in: 0..<10, using: &generator) {
                case 0, 1, 2: _ = try? world.perform(.requestFriend(peer), by: own)
                case 3: _ = try? world.perform(.removeRelationship(peer), by: own)
                case 4: _ = try? world.perform(.setRelationship(peer), by: own, ["type": 2])
                default:
                    guard let index = world.waiting.indices.randomElement(using: &generator) else { continue }
                    try world.deliver(at: index, twice: Int.random(in: 0..<3, using: &generator) == 0)
                }
            }
            while let index = world.waiting.indices.randomElement(using: &generator) {
                try world.deliver(at: index, twice: Int.random(in: 0..<4, using: &generator) == 0)
            }
            let none = RelationshipHalf()
            let (one, other) = (world.people[ada]?.relationships[bob], world.people[bob]?.relationships[ada])
            #expect(one?.own ?? none == other?.peer ?? none, "seed \(seed)")
            #expect(other?.own ?? none == one?.peer ?? none, "seed \(seed)")
            switch (one?.kind, other?.kind) {
            case (nil, nil), (.friend, .friend), (.outgoing, .incoming), (.incoming, .outgoing), (.blocked, nil),
                (nil, .blocked), (.blocked, .blocked):
                break
            case let pair: Issue.record("seed \(seed): \(pair)")
            }
            for (own, peer) in [(ada, bob), (bob, ada)] {
                told[own] = world.takeShown(own)
                let last = told[own]?.last
                let isAdded = last?.kind == .relationshipAdd
                #expect((isAdded ? last?.type : nil) == world.kind(own, peer)?.rawValue, "seed \(seed): \(told)")
            }
        }
    }
}
