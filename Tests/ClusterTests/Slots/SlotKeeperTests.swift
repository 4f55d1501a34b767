import FluxCore
import Testing

@testable import FluxCluster

/// One keeper, step by step.
@Suite struct SlotKeeperTests {
    private let slot = Slot(rawValue: 7)!

    private func node(_ number: UInt16) -> NodeID { NodeID(rawValue: number)! }

    private func identity(_ number: UInt16, incarnation: Int64 = 1) -> NodeIdentity {
        NodeIdentity(name: "node-\(number)", id: node(number), incarnation: incarnation)
    }

    /// Node 1 with others that are alive, ready and linked; `dead` of them are dead, `draining` say that they drain.
    private func view(
        others: ClosedRange<UInt16>, dead: Set<UInt16> = [], draining: Set<UInt16> = []
    ) -> MembershipView {
        let all = [node(1)] + others.map(node)
        var members = [
            node(1): MembershipView.Entry(
                member: ClusterMember(identity: identity(1), address: ""), health: .alive, isLinked: true)
        ]
        for number in others {
            members[node(number)] = MembershipView.Entry(
                member: ClusterMember(identity: identity(number), address: ""),
                health: dead.contains(number) ? .dead : .alive,
                report: NodeReport(
                    node: node(number), incarnation: 1, number: 1, isReady: true,
                    isDraining: draining.contains(number), hasDatabase: true,
                    links: all.filter { $0 != node(number) }),
                isLinked: !dead.contains(number))
        }
        return MembershipView(node: node(1), members: members)
    }

    /// An open keeper of node 1, which has read that `leases` are all there are.
    private func keeper(
        _ view: MembershipView, leases: [SlotKeeper.Lease]
    ) -> (SlotKeeper, [SlotKeeper.Action]) {
        var keeper = SlotKeeper(identity: identity(1), view: view, at: .zero)
        _ = keeper.open(at: .zero)
        let actions = keeper.read(leases, at: .zero)
        return (keeper, actions)
    }

    private func lease(_ slot: Slot, of number: UInt16, incarnation: Int64 = 1, epoch: Epoch = 1) -> SlotKeeper.Lease {
        SlotKeeper.Lease(slot: slot, node: node(number), incarnation: incarnation, epoch: epoch)
    }

    private func leases(of number: UInt16, incarnation: Int64 = 1) -> [SlotKeeper.Lease] {
        Slot.all.map { lease($0, of: number, incarnation: incarnation) }
    }

    private func asked(_ actions: [SlotKeeper.Action]) -> [Slot]? {
        for case .takeOver(let slots, _) in actions { return slots }
        return nil
    }

    /// A slot that node 1 should give to node 2 when both live.
    private func misplaced(_ keeper: SlotKeeper) throws -> Slot {
        try #require(Slot.all.first { keeper.wantedOwner(of: $0) == node(2) })
    }

    @Test func nothingIsTakenBeforeTheLeasesAreKnownAndTheNodeIsOpen() {
        var keeper = SlotKeeper(identity: identity(1), view: view(others: 2...2), at: .zero)
        #expect(keeper.advance(to: .zero).contains(.readLeases))
        #expect(asked(keeper.read([], at: .zero)) == nil)
        let slots = asked(keeper.open(at: .zero)) ?? []
        #expect(slots == Slot.all.filter { keeper.wantedOwner(of: $0) == node(1) })
        #expect(!slots.isEmpty && slots.count < Slot.count)
    }

    @Test func slotsOfTheDeadAreTakenOnceTheVerdictIsWritten() {
        var (keeper, actions) = keeper(view(others: 2...3), leases: leases(of: 2))
        #expect(asked(actions) == nil)
        actions = keeper.changed(view(others: 2...3, dead: [2]), at: .milliseconds(1))
        #expect(actions.contains(.condemn(identity(2))))
        #expect(asked(actions) == nil)
        actions = keeper.condemned(identity(2), succeeded: true, at: .milliseconds(2))
        let slots = asked(actions) ?? []
        #expect(slots == Slot.all.filter { keeper.wantedOwner(of: $0) == node(1) })
        // One question at a time; a refusal is repeated later and later.
        #expect(asked(keeper.advance(to: .milliseconds(3))) == nil)
        #expect(asked(keeper.tookOver([:], at: .milliseconds(10))) == nil)
        #expect(asked(keeper.advance(to: .milliseconds(109))) == nil)
        #expect(asked(keeper.advance(to: .milliseconds(110))) == slots)
        let epochs = Dictionary(uniqueKeysWithValues: slots.map { ($0, Epoch(2)) })
        actions = keeper.tookOver(epochs, at: .milliseconds(120))
        #expect(actions.contains(.takeUp(epochs)))
        #expect(keeper.owned == epochs)
        // The others hear of it.
        #expect(actions.contains { if case .send(.routes, to: node(3)) = $0 { true } else { false } })
    }

    @Test func aVerdictIsWithdrawnWhenTheMemberLivesAndRetriedWithTheNextHeartbeat() {
        var (keeper, _) = keeper(view(others: 2...3), leases: leases(of: 2))
        var actions = keeper.changed(view(others: 2...3, dead: [2]), at: .milliseconds(1))
        actions = keeper.condemned(identity(2), succeeded: false, at: .milliseconds(2))
        #expect(!actions.contains(.condemn(identity(2))))
        actions = keeper.heartbeatAnswered(living: [], at: .milliseconds(3))
        #expect(actions.contains(.condemn(identity(2))))
        actions = keeper.changed(view(others: 2...3), at: .milliseconds(4))
        #expect(actions.contains(.acquit(node(2))))
    }

    @Test func slotsOfAnEarlierIncarnationAreTakenAtOnce() {
        let own = keeper(view(others: 2...2), leases: leases(of: 1, incarnation: 0)).1
        #expect(asked(own)?.isEmpty == false)
        let others = keeper(view(others: 2...2), leases: leases(of: 2, incarnation: 0)).1
        #expect(asked(others)?.isEmpty == false)
    }

    @Test func slotsAreAskedForWhenTheirOwnersHeartbeatsHaveStoppedThoughItLives() {
        var (keeper, actions) = keeper(view(others: 2...3), leases: leases(of: 2))
        let slots = Slot.all.filter { keeper.wantedOwner(of: $0) == node(1) }
        let everybody: Set<NodeID> = [node(1), node(2), node(3)]
        let rest: Set<NodeID> = [node(1), node(3)]
        #expect(asked(actions) == nil)
        #expect(asked(keeper.heartbeatAnswered(living: everybody, at: .seconds(1))) == nil)
        // Nobody holds it dead, and it has agreed to nothing.
        actions = keeper.heartbeatAnswered(living: rest, at: .seconds(2))
        #expect(asked(actions) == slots)
        #expect(!actions.contains(.condemn(identity(2))))
        // What Postgres refuses is asked for again at the pace of every other take-over, whatever is heard meanwhile.
        #expect(asked(keeper.tookOver([:], at: .milliseconds(2_010))) == nil)
        #expect(asked(keeper.heartbeatAnswered(living: rest, at: .milliseconds(2_109))) == nil)
        #expect(asked(keeper.advance(to: .milliseconds(2_110))) == slots)
        #expect(asked(keeper.tookOver([:], at: .milliseconds(2_120))) == nil)
        #expect(asked(keeper.advance(to: .milliseconds(2_319))) == nil)
        #expect(asked(keeper.advance(to: .milliseconds(2_320))) == slots)
        #expect(asked(keeper.tookOver([:], at: .milliseconds(2_330))) == nil)
        // It is back.
        #expect(asked(keeper.heartbeatAnswered(living: everybody, at: .seconds(3))) == nil)
        #expect(asked(keeper.advance(to: .seconds(4))) == nil)
    }

    @Test func anOwnerThatWasNeverSeenIsMissingOnlyAfterAHeartbeatsLife() {
        var (keeper, _) = keeper(view(others: 2...3), leases: leases(of: 2))
        let rest: Set<NodeID> = [node(1), node(3)]
        for second in 1...3 { #expect(asked(keeper.heartbeatAnswered(living: rest, at: .seconds(second))) == nil) }
        #expect(asked(keeper.heartbeatAnswered(living: rest, at: .seconds(4))) != nil)
    }

    /// The others may come back a little later than this node.
    @Test func afterABreakWhoWasSeenBeforeItIsWaitedFor() {
        var (keeper, _) = keeper(view(others: 2...3), leases: leases(of: 2))
        _ = keeper.heartbeatAnswered(living: [node(1), node(2), node(3)], at: .seconds(1))
        let rest: Set<NodeID> = [node(1), node(3)]
        for second in 11...13 { #expect(asked(keeper.heartbeatAnswered(living: rest, at: .seconds(second))) == nil) }
        #expect(asked(keeper.heartbeatAnswered(living: rest, at: .seconds(14))) != nil)
    }

    @Test func aHandOverGoesThroughItsSteps() throws {
        var (keeper, actions) = keeper(view(others: 2...2), leases: leases(of: 1))
        let slot = try misplaced(keeper)
        let offers = actions.filter { if case .send(.offer, _) = $0 { true } else { false } }
        #expect(offers.count == 8)
        #expect(actions.contains(.send(.offer(slot, 1), to: node(2))))
        actions = keeper.received(.accept(slot, 1), from: node(2), at: .milliseconds(1))
        #expect(actions.contains(.copy(slot, 1, to: node(2))))
        actions = keeper.copied(slot, 1, succeeded: true, at: .milliseconds(2))
        #expect(actions.contains(.pauseAndFlush(slot, 1)))
        actions = keeper.flushed(slot, 1, succeeded: true, at: .milliseconds(3))
        #expect(actions.contains(.sendDifference(slot, 1, to: node(2))))
        actions = keeper.copied(slot, 1, succeeded: true, at: .milliseconds(4))
        #expect(actions.contains(.release(slot, 1, to: identity(2))))
        actions = keeper.released(slot, 1, .released(2), at: .milliseconds(5))
        #expect(actions.contains(.send(.granted(slot, 2), to: node(2))))
        #expect(actions.contains(.sendOn(slot, to: node(2), 2)))
        #expect(keeper.owned[slot] == nil)
        // The next one takes its place.
        #expect(actions.contains { if case .send(.offer, _) = $0 { true } else { false } })
        // A reading that began before does not bring it back.
        actions = keeper.read(leases(of: 1), at: .milliseconds(6))
        #expect(keeper.owned[slot] == nil)
    }

    @Test func aPauseThatLastsTooLongIsCalledOff() throws {
        var (keeper, _) = keeper(view(others: 2...2), leases: leases(of: 1))
        let slot = try misplaced(keeper)
        _ = keeper.received(.accept(slot, 1), from: node(2), at: .milliseconds(1))
        _ = keeper.copied(slot, 1, succeeded: true, at: .milliseconds(2))
        #expect(!keeper.advance(to: .milliseconds(501)).contains(.resume(slot, 1)))
        let actions = keeper.advance(to: .milliseconds(502))
        #expect(actions.contains(.resume(slot, 1)))
        #expect(actions.contains(.send(.callOff(slot, 1), to: node(2))))
        #expect(keeper.owned[slot] == 1)
        // What comes late has no effect.
        #expect(
            !keeper.flushed(slot, 1, succeeded: true, at: .milliseconds(503)).contains(
                .sendDifference(slot, 1, to: node(2))))
    }

    @Test func aHandOverThatHasLostItsAimIsCalledOff() throws {
        var (keeper, _) = keeper(view(others: 2...2), leases: leases(of: 1))
        let slot = try misplaced(keeper)
        _ = keeper.received(.accept(slot, 1), from: node(2), at: .milliseconds(1))
        #expect(!keeper.advance(to: .milliseconds(2)).contains(.send(.callOff(slot, 1), to: node(2))))
        // Node 2 gives its slots away by now: this one should stay.
        let actions = keeper.changed(view(others: 2...2, draining: [2]), at: .milliseconds(3))
        let calledOff = actions.filter { if case .send(.callOff, _) = $0 { true } else { false } }
        #expect(calledOff.count == 8 && calledOff.contains(.send(.callOff(slot, 1), to: node(2))))
        #expect(keeper.owned[slot] == 1)
    }

    @Test func aPausedHandOverGoesOnUnlessItsSuccessorIsGone() throws {
        var (keeper, _) = keeper(view(others: 2...2), leases: leases(of: 1))
        let slot = try misplaced(keeper)
        _ = keeper.received(.accept(slot, 1), from: node(2), at: .milliseconds(1))
        _ = keeper.copied(slot, 1, succeeded: true, at: .milliseconds(2))
        var actions = keeper.changed(view(others: 2...2, draining: [2]), at: .milliseconds(3))
        #expect(!actions.contains(.send(.callOff(slot, 1), to: node(2))))
        actions = keeper.changed(view(others: 2...2, dead: [2]), at: .milliseconds(4))
        #expect(actions.contains(.send(.callOff(slot, 1), to: node(2))) && actions.contains(.resume(slot, 1)))
    }

    @Test(arguments: [true, false])
    func aReleaseWithoutAnAnswerIsSettledByTheLease(wasReleased: Bool) throws {
        var (keeper, _) = keeper(view(others: 2...2), leases: leases(of: 1))
        let slot = try misplaced(keeper)
        _ = keeper.received(.accept(slot, 1), from: node(2), at: .milliseconds(1))
        _ = keeper.copied(slot, 1, succeeded: true, at: .milliseconds(2))
        _ = keeper.flushed(slot, 1, succeeded: true, at: .milliseconds(3))
        _ = keeper.copied(slot, 1, succeeded: true, at: .milliseconds(4))
        // From here on time alone does not call it off.
        #expect(!keeper.advance(to: .milliseconds(1_500)).contains(.resume(slot, 1)))
        #expect(keeper.released(slot, 1, .unknown, at: .milliseconds(1_600)).contains(.readLeases))
        let row = wasReleased ? lease(slot, of: 2, epoch: 2) : lease(slot, of: 1)
        let actions = keeper.read([row], at: .milliseconds(1_700))
        #expect(actions.contains(.sendOn(slot, to: node(2), 2)) == wasReleased)
        #expect(actions.contains(.resume(slot, 1)) == !wasReleased)
        #expect(keeper.owned[slot] == (wasReleased ? nil : 1))
    }

    @Test func anOfferIsAcceptedAndTheLeaseTakenUpWhenGranted() {
        var (keeper, _) = keeper(view(others: 2...2), leases: leases(of: 2))
        #expect(
            keeper.received(.offer(slot, 1), from: node(2), at: .milliseconds(1)).contains(
                .send(.accept(slot, 1), to: node(2))))
        // Nothing is heard of it: it is looked up.
        _ = keeper.heartbeatAnswered(living: [], at: .milliseconds(1_500))
        #expect(keeper.advance(to: .milliseconds(2_001)).contains(.readLeases))
        let actions = keeper.received(.granted(slot, 2), from: node(2), at: .milliseconds(2_002))
        #expect(actions.contains(.takeUp([slot: 2])))
        // Twice is once.
        #expect(
            !keeper.received(.granted(slot, 2), from: node(2), at: .milliseconds(2_003)).contains(.takeUp([slot: 2])))
        // A node that drains takes nothing.
        _ = keeper.drain(at: .milliseconds(2_004))
        let other = Slot(rawValue: 8)!
        #expect(
            keeper.received(.offer(other, 1), from: node(2), at: .milliseconds(2_005)).contains(
                .send(.decline(other, 1), to: node(2))))
    }

    @Test func newsOfALaterEpochEndsOwnership() {
        var (keeper, _) = keeper(view(others: 2...2), leases: leases(of: 1))
        let route = Route(slot: slot, node: node(2), epoch: 5)
        let actions = keeper.received(.routes([route]), from: node(2), at: .milliseconds(1))
        #expect(actions.contains(.giveUp([slot: 1])))
        #expect(actions.contains(.learn([route])))
        #expect(keeper.owned[slot] == nil)
        let old = Route(slot: slot, node: node(2), epoch: 4)
        #expect(!keeper.received(.routes([old]), from: node(2), at: .milliseconds(2)).contains(.learn([old])))
    }

    @Test func aNodeWithoutPostgresConsentsAndGoesOn() {
        var (keeper, _) = keeper(view(others: 2...3), leases: leases(of: 1))
        let actions = keeper.advance(to: .seconds(2))
        #expect(actions.contains(.unready(.noDatabase, true)))
        #expect(!actions.contains(.endSessions(.noDatabase)))
        let consents = actions.filter { if case .send(.consent, _) = $0 { true } else { false } }
        #expect(consents.count == 2)
        #expect(keeper.owned.count == Slot.count)
        #expect(keeper.heartbeatAnswered(living: [], at: .seconds(3)).contains(.unready(.noDatabase, false)))
    }

    @Test func aConsentIsUsedWhileItIsFresh() throws {
        var (keeper, _) = keeper(view(others: 2...2), leases: leases(of: 2))
        let slot = try #require(Slot.all.first { keeper.wantedOwner(of: $0) == node(1) })
        let route = Route(slot: slot, node: node(2), epoch: 1)
        let actions = keeper.received(.consent([route]), from: node(2), at: .milliseconds(1))
        #expect(actions.contains(.takeOver([slot], consented: [slot: 1])))
        _ = keeper.tookOver(nil, at: .milliseconds(2))
        _ = keeper.heartbeatAnswered(living: [], at: .milliseconds(1_100))
        #expect(asked(keeper.advance(to: .milliseconds(1_200))) == nil)
    }

    /// A node that has begun without Postgres hears of an owner by its consent alone, and its callers have to find that one.
    @Test func aConsentSaysWhoseTheSlotIs() throws {
        var (keeper, _) = keeper(view(others: 2...2), leases: [])
        let slot = try #require(Slot.all.first { keeper.wantedOwner(of: $0) == node(2) })
        let route = Route(slot: slot, node: node(2), epoch: 4)
        #expect(keeper.received(.consent([route]), from: node(2), at: .milliseconds(1)).contains(.learn([route])))
        #expect(keeper.received(.consent([route]), from: node(2), at: .milliseconds(2)).isEmpty)
    }

    @Test func theMinorityAndTheWorseEndOfAMissingLinkGiveWay() {
        var (keeper, _) = keeper(view(others: 2...3), leases: leases(of: 1))
        let everybody: Set<NodeID> = [node(1), node(2), node(3)]
        _ = keeper.heartbeatAnswered(living: everybody, at: .milliseconds(1))
        _ = keeper.changed(view(others: 2...3, dead: [2, 3]), at: .milliseconds(2))
        for second in 1...3 {
            #expect(
                !keeper.heartbeatAnswered(living: everybody, at: .seconds(second)).contains(.endSessions(.minority)))
        }
        #expect(keeper.heartbeatAnswered(living: everybody, at: .milliseconds(4_002)).contains(.endSessions(.minority)))
        #expect(!keeper.isReady)

        // Nodes 1 and 2 have no link; node 2 has more of the others.
        var view = view(others: 2...4)
        view.members[node(2)]?.isLinked = false
        view.members[node(3)]?.isLinked = false
        var second = self.keeper(view, leases: leases(of: 2)).0
        var actions: [SlotKeeper.Action] = []
        for moment in 1...5 { actions += second.heartbeatAnswered(living: [], at: .seconds(moment)) }
        #expect(actions.contains(.endSessions(.noLink(node(2)))))
    }

    @Test func aClockThatIsOffMakesUnready() {
        var (keeper, _) = keeper(view(others: 2...2), leases: [])
        #expect(keeper.clockCompared(isOff: true, at: .milliseconds(1)).contains(.unready(.clockOff, true)))
        #expect(!keeper.isReady)
        #expect(keeper.clockCompared(isOff: false, at: .milliseconds(2)).contains(.unready(.clockOff, false)))
        #expect(keeper.isReady)
    }

    @Test func aClockThatIsOffBeforeTheNodeOpensKeepsItFromTakingSlots() {
        var keeper = SlotKeeper(identity: identity(1), view: view(others: 2...2), at: .zero)
        #expect(keeper.clockCompared(isOff: true, at: .zero).contains(.unready(.clockOff, true)))
        #expect(asked(keeper.open(at: .zero)) == nil)
        #expect(asked(keeper.read([], at: .zero)) == nil)
        #expect(!keeper.isReady)
        #expect(asked(keeper.clockCompared(isOff: false, at: .milliseconds(1))) != nil)
    }

    @Test func drainingEndsWhenNothingIsLeft() {
        var (alone, _) = keeper(MembershipView(node: node(1), members: [:]), leases: leases(of: 1))
        #expect(alone.drain(at: .milliseconds(1)).contains(.drained(true)))
        // Where all go at the same time there is nobody to give anything to, until somebody comes.
        var (last, _) = keeper(view(others: 2...3, dead: [2], draining: [3]), leases: [lease(slot, of: 1)])
        #expect(last.drain(at: .milliseconds(1)).contains(.drained(true)))
        let back = last.changed(view(others: 2...3, draining: [3]), at: .milliseconds(2))
        #expect(back.contains(.drained(false)))
        #expect(back.contains(.send(.offer(slot, 1), to: node(2))))
        #expect(last.changed(view(others: 2...3, draining: [2, 3]), at: .milliseconds(3)).contains(.drained(true)))
        var (keeper, _) = keeper(view(others: 2...2), leases: [lease(slot, of: 1)])
        #expect(!keeper.drain(at: .milliseconds(1)).contains(.drained(true)))
        _ = keeper.received(.accept(slot, 1), from: node(2), at: .milliseconds(1))
        _ = keeper.copied(slot, 1, succeeded: true, at: .milliseconds(2))
        _ = keeper.flushed(slot, 1, succeeded: true, at: .milliseconds(3))
        _ = keeper.copied(slot, 1, succeeded: true, at: .milliseconds(4))
        #expect(keeper.released(slot, 1, .released(2), at: .milliseconds(5)).contains(.drained(true)))
    }
}
