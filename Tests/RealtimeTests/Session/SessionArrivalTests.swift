import FluxCluster
import FluxCore
import Testing

@testable import FluxRealtime

/// What is decided on a session's way from node to node. `SessionMoveTests` and the simulator let whole nodes do it.
@Suite struct SessionArrivalTests {
    private static let user = UserID(7)
    private static let key = SessionKey(nodeID: 2, random: 99)
    private static let node = NodeID(rawValue: 1)!
    private static let second = NodeID(rawValue: 2)!
    private static let third = NodeID(rawValue: 3)!
    private static let guild = StreamKey.guild(GuildID(50))
    private static let other = StreamKey.guild(GuildID(60))

    private static func arrival(at now: UInt64 = 1_000) -> SessionArrival {
        SessionArrival(key, of: user, after: 5, to: node, ticket: 1, at: now)
    }

    private static func position(_ number: UInt64) -> StreamPosition { StreamPosition(epoch: 1, number: number) }

    // MARK: The taker

    @Test func aSessionIsFoundFollowedFrozenAndInstalled() {
        var arrival = Self.arrival()
        #expect(arrival.begin(at: Self.second) == .ask(Self.second))
        #expect(
            arrival.described([Self.guild, Self.other], of: Self.user, by: Self.second)
                == .follow([Self.guild, Self.other]))
        #expect(arrival.follows(Self.guild, from: Self.position(3)) == nil)
        // Said twice it counts once.
        #expect(arrival.follows(Self.guild, from: Self.position(9)) == nil)
        #expect(
            arrival.follows(Self.other, from: Self.position(4))
                == .take([
                    StreamHead(key: Self.guild, position: Self.position(3)),
                    StreamHead(key: Self.other, position: Self.position(4)),
                ]))
        #expect(arrival.frozen(dispatches: 3, lastSequence: 8, by: Self.second) == nil)
        #expect(arrival.received(dispatches: 2, cost: 10, by: Self.second) == nil)
        #expect(arrival.received(dispatches: 1, cost: 10, by: Self.second) == .install)
    }

    @Test func aSessionWithNothingToRepeatIsInstalledAtOnce() {
        var arrival = Self.arrival()
        _ = arrival.begin(at: Self.second)
        #expect(arrival.described([], of: Self.user, by: Self.second) == .take([]))
        #expect(arrival.frozen(dispatches: 0, lastSequence: 5, by: Self.second) == .install)
    }

    @Test func aSessionIsLookedForWhereItIsSaidToBeAndThenAtItsUser() {
        var arrival = Self.arrival()
        #expect(arrival.begin(at: Self.second) == .ask(Self.second))
        #expect(
            arrival.refused(.movedTo(Self.third), by: Self.second, isHere: false) == .ask(Self.third))
        // Of one that is not asked any more.
        #expect(arrival.refused(.impossible, by: Self.second, isHere: false) == nil)
        #expect(arrival.refused(.unknown, by: Self.third, isHere: false) == .askUser)
        // It was there and has moved: it may be back.
        #expect(arrival.found(at: Self.second, isHere: false) == .ask(Self.second))
        #expect(arrival.refused(.unknown, by: Self.second, isHere: false) == .askUser)
        // It has been asked, it was said once more to have it, and it does not: the client begins anew.
        #expect(arrival.found(at: Self.third, isHere: false) == .ask(Self.third))
        #expect(arrival.refused(.unknown, by: Self.third, isHere: false) == .fail(isResumable: false))
    }

    @Test func aSessionThatComesToANodeAfterThatWasAskedIsFound() {
        // Said by the user: node 2 began it, has restarted since, and gets it from node 3 just after it was asked.
        var arrival = Self.arrival()
        #expect(arrival.begin(at: Self.second) == .ask(Self.second))
        #expect(arrival.refused(.unknown, by: Self.second, isHere: false) == .askUser)
        var told = arrival
        #expect(told.found(at: Self.second, isHere: false) == .ask(Self.second))
        #expect(told.described([], of: Self.user, by: Self.second) == .take([]))
        // Said by the node that it has left: the user did not know yet.
        #expect(arrival.found(at: Self.third, isHere: false) == .ask(Self.third))
        #expect(
            arrival.refused(.movedTo(Self.second), by: Self.third, isHere: false) == .ask(Self.second))
        #expect(arrival.described([], of: Self.user, by: Self.second) == .take([]))
    }

    @Test func whoCannotBeReachedMayBeReachedLaterUnlessItHasDied() {
        for hasDied in [false, true] {
            var arrival = Self.arrival()
            #expect(arrival.begin(at: Self.second) == .ask(Self.second))
            #expect(arrival.unreachable(hasDied: hasDied) == .askUser)
            #expect(arrival.found(at: Self.second, isHere: false) == .ask(Self.second))
            #expect(arrival.unreachable(hasDied: hasDied) == .fail(isResumable: !hasDied))
            var another = Self.arrival()
            #expect(another.begin(at: nil) == .askUser)
            #expect(another.found(at: Self.third, isHere: false) == .ask(Self.third))
            #expect(another.unreachable(hasDied: hasDied) == .fail(isResumable: !hasDied))
        }
    }

    @Test func aSessionThatIsHereMeanwhileIsTakenUpHere() {
        for isHere in [false, true] {
            var arrival = Self.arrival()
            #expect(arrival.begin(at: Self.node) == .askUser)
            #expect(
                arrival.found(at: Self.node, isHere: isHere)
                    == (isHere ? .takeUpHere : .fail(isResumable: false)))
        }
        var arrival = Self.arrival()
        #expect(arrival.begin(at: Self.second) == .ask(Self.second))
        // Node 2 remembers where it went, but this node has restarted since, and handed it on before.
        #expect(arrival.refused(.movedTo(Self.node), by: Self.second, isHere: false) == .askUser)
        var told = arrival
        #expect(told.found(at: Self.third, isHere: false) == .ask(Self.third))
        #expect(arrival.found(at: Self.node, isHere: false) == .fail(isResumable: false))
        arrival = Self.arrival()
        #expect(arrival.begin(at: Self.second) == .ask(Self.second))
        #expect(arrival.refused(.unknown, by: Self.second, isHere: false) == .askUser)
        #expect(arrival.found(at: nil, isHere: false) == .fail(isResumable: false))
    }

    @Test func nodesThatPointAtOneAnotherAreNotFollowedForEver() {
        var arrival = Self.arrival()
        var asked = 0
        var action: SessionArrival.Action? = arrival.begin(at: NodeID(rawValue: 10))
        while case .ask(let holder) = action, asked < 100 {
            asked += 1
            action = arrival.refused(
                .movedTo(NodeID(rawValue: holder.rawValue + 1)!), by: holder, isHere: false)
        }
        #expect(asked == SessionArrival.maximumQuestions)
        #expect(action == .fail(isResumable: true))
    }

    @Test func streamsThatComeMeanwhileAreFollowedTooButNotForEver() {
        var arrival = Self.arrival()
        _ = arrival.begin(at: Self.second)
        var streams: [StreamKey] = []
        for round in 1...SessionArrival.maximumRounds {
            streams.append(.guild(GuildID(UInt64(round))))
            #expect(arrival.described(streams, of: Self.user, by: Self.second) == .follow([streams[round - 1]]))
            // While one is awaited nothing new is heard of.
            #expect(arrival.described(streams, of: Self.user, by: Self.second) == nil)
            _ = arrival.follows(streams[round - 1], from: Self.position(1))
        }
        #expect(arrival.described(streams, of: Self.user, by: Self.second) == .fail(isResumable: true))
    }

    @Test func whatIsNotTheSessionIsNotTaken() {
        var arrival = Self.arrival()
        _ = arrival.begin(at: Self.second)
        #expect(arrival.described([], of: UserID(8), by: Self.second) == nil)
        #expect(arrival.described([], of: Self.user, by: Self.third) == nil)
        #expect(arrival.described([], of: Self.user, by: Self.second) == .take([]))
        #expect(arrival.received(dispatches: 1, cost: 1, by: Self.second) == nil)
        var untrue = arrival
        #expect(untrue.frozen(dispatches: 9, lastSequence: 8, by: Self.second) == .fail(isResumable: false))
        var tooMany = arrival
        #expect(
            tooMany.frozen(dispatches: SessionArrival.maximumDispatches + 1, lastSequence: 1 << 40, by: Self.second)
                == .fail(isResumable: false))
        #expect(arrival.frozen(dispatches: 2, lastSequence: 8, by: Self.third) == nil)
        #expect(arrival.frozen(dispatches: 2, lastSequence: 8, by: Self.second) == nil)
        var tooMuch = arrival
        #expect(
            tooMuch.received(dispatches: 1, cost: SessionArrival.maximumCost + 1, by: Self.second)
                == .fail(isResumable: false))
        #expect(arrival.received(dispatches: 3, cost: 1, by: Self.second) == .fail(isResumable: false))
    }

    @Test func nobodyWaitsForEver() {
        var arrival = Self.arrival(at: 1_000)
        _ = arrival.begin(at: Self.second)
        #expect(arrival.linkLost(to: Self.third) == nil)
        #expect(arrival.linkLost(to: Self.second) == .fail(isResumable: true))
        #expect(arrival.timedOut(at: 999 + SessionArrival.searching) == nil)
        #expect(arrival.timedOut(at: 1_000 + SessionArrival.searching) == .fail(isResumable: true))
        _ = arrival.described([Self.guild], of: Self.user, by: Self.second)
        #expect(arrival.timedOut(at: 1_000 + SessionArrival.searching) == nil)
        #expect(arrival.timedOut(at: 1_000 + SessionArrival.patience) == .fail(isResumable: true))
    }

    // MARK: Until it is settled

    @Test func aClaimIsAskedForUntilItsHolderIsOver() {
        var claim = SessionClaim(ticket: 1, holder: Self.second, since: 1_000)
        // The relays have not come to where the session was.
        #expect(claim.step(at: 2_000, isOver: false) == .wait)
        #expect(claim.step(at: 2_000, isOver: true) == .abandon)
        claim.reached()
        #expect(claim.step(at: 2_000, isOver: false) == .askAgain(isPatient: true))
        #expect(claim.step(at: 1_000 + SessionArrival.patience, isOver: false) == .askAgain(isPatient: false))
        #expect(claim.step(at: 2_000, isOver: true) == .abandon)
    }

    // MARK: The holder

    private static func standing(
        isReady: Bool = true, isClaimed: Bool = false, reachesBack: Bool = true
    ) -> SessionDeparture.Standing {
        SessionDeparture.Standing(isReady: isReady, isClaimed: isClaimed, userID: user, reachesBack: reachesBack)
    }

    @Test func onlyAWholeSessionIsGivenAndOnlyToItsUser() {
        func refusal(_ standing: SessionDeparture.Standing, by userID: UserID = Self.user) -> SessionMoveRefusal? {
            switch SessionDeparture.begin(standing, by: userID, after: 5, ticket: 1, to: Self.second) {
            case .success: nil
            case .failure(let refusal): refusal
            }
        }
        #expect(refusal(Self.standing()) == nil)
        #expect(refusal(Self.standing(), by: UserID(8)) == .impossible)
        #expect(refusal(Self.standing(isReady: false)) == .impossible)
        #expect(refusal(Self.standing(reachesBack: false)) == .impossible)
        #expect(refusal(Self.standing(isClaimed: true)) == .notNow)
    }

    @Test func aSessionIsFrozenWhenAllItListensToIsFollowed() throws {
        var departure = try SessionDeparture.begin(Self.standing(), by: Self.user, after: 5, ticket: 1, to: Self.second)
            .get()
        #expect(departure.isFor(1, Self.second) && !departure.isFor(2, Self.second) && !departure.isFor(1, Self.third))
        #expect(departure.freeze([Self.guild, Self.other], reached: [Self.guild: Self.position(1)]) == .describe)
        #expect(!departure.isFrozen)
        #expect(departure.freeze([Self.guild], reached: [Self.guild: Self.position(1)]) == .send)
        #expect(departure.isFrozen)
    }

    @Test func whereSessionsWentIsRememberedForATimeAndWithinBounds() {
        var departed = DepartedSessions()
        departed.note(Self.key, wentTo: Self.second, ticket: 1, at: 10)
        departed.note(Self.key, wentTo: Self.third, ticket: 2, at: 20)
        departed.forget(before: 15)
        #expect(departed[Self.key] == DepartedSessions.Departed(node: Self.third, ticket: 2))
        departed.isBack(Self.key)
        #expect(departed[Self.key] == nil)
        for number in 0...UInt64(DepartedSessions.maximum) {
            departed.note(SessionKey(rawValue: number), wentTo: Self.second, ticket: number + 3, at: 30)
        }
        #expect(departed[SessionKey(rawValue: 0)] == nil && departed[SessionKey(rawValue: 1)] != nil)
        departed.forget(before: 31)
        #expect(departed[SessionKey(rawValue: UInt64(DepartedSessions.maximum))] == nil)
    }
}
