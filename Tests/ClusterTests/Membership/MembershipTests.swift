import FluxCore
import Testing

@testable import FluxCluster

/// The cases of the papers and of our departures from them, one node at a time.
@Suite struct MembershipTests {
    private func node(_ number: UInt16) -> NodeID { NodeID(rawValue: number)! }

    private func identity(_ number: UInt16, incarnation: Int64 = 1) -> NodeIdentity {
        NodeIdentity(name: "node-\(number)", id: node(number), incarnation: incarnation)
    }

    /// Node 1 with links to the others, which are alive.
    private func machine(others: ClosedRange<UInt16>) -> Membership {
        var machine = Membership(identity: identity(1), seed: 1, at: .zero)
        _ = machine.learned(others.map { ClusterMember(identity: identity($0), address: "") }, at: .zero)
        for other in others { _ = machine.linkMade(to: identity(other), at: .zero) }
        return machine
    }

    private func message(
        _ kind: MembershipMessage.Kind = .gossip, incarnation: Int64 = 1, refutation: UInt32 = 0,
        _ rumours: [Rumour] = []
    ) -> MembershipMessage {
        MembershipMessage(incarnation: incarnation, refutation: refutation, kind: kind, rumours: rumours)
    }

    private func rumour(
        _ subject: UInt16, _ health: Health, by accuser: UInt16, incarnation: Int64 = 1, refutation: UInt32 = 0
    ) -> Rumour {
        .health(
            HealthRumour(
                node: node(subject), incarnation: incarnation, refutation: refutation, health: health,
                accuser: node(accuser)))
    }

    private func sent(_ actions: [Membership.Action]) -> [(message: MembershipMessage, target: NodeID)] {
        actions.compactMap { if case .send(let message, let target) = $0 { (message, target) } else { nil } }
    }

    /// Everything that the machine does by itself up to `end`.
    private func run(_ machine: inout Membership, until end: Duration) -> [Membership.Action] {
        var actions: [Membership.Action] = []
        while machine.nextWakeUp <= end { actions += machine.advance(to: machine.nextWakeUp) }
        return actions
    }

    @Test func aMemberOfWhichNothingWasHeardIsNotHeldAlive() {
        var machine = Membership(identity: identity(1), seed: 1, at: .zero)
        _ = machine.learned([ClusterMember(identity: identity(2), address: "")], at: .zero)
        #expect(machine.health(of: node(2)) == .unheard)
        #expect(machine.health(of: node(9)) == nil)
        #expect(machine.view.living == [node(1)])
        let actions = machine.linkMade(to: identity(2), at: .milliseconds(1))
        #expect(
            actions.contains(.changed(MemberChange(identity: identity(2), before: .unheard, health: .alive))))
        // The lower number begins the exchange of everything.
        #expect(sent(actions).map(\.message.kind) == [.exchange])
    }

    @Test func aPingIsAnswered() {
        var machine = machine(others: 2...3)
        let answers = sent(machine.received(message(.ping(sequence: 7)), from: node(2), at: .milliseconds(1)))
        #expect(answers.map(\.message.kind) == [.acknowledgement(sequence: 7)])
        #expect(answers.map(\.target) == [node(2)])
    }

    @Test func aHelperReportsWhatItFinds() throws {
        var machine = machine(others: 2...3)
        let request = message(.pingRequest(sequence: 5, target: node(3)))
        let ping = try #require(sent(machine.received(request, from: node(2), at: .milliseconds(1))).first)
        #expect(ping.target == node(3))
        guard case .ping(let sequence) = ping.message.kind else {
            Issue.record("no ping: \(ping)")
            return
        }
        let relayed = sent(
            machine.received(message(.acknowledgement(sequence: sequence)), from: node(3), at: .milliseconds(2)))
        #expect(relayed.contains { $0.message.kind == .acknowledgement(sequence: 5) && $0.target == node(2) })
        // Another time there is no answer.
        _ = machine.received(request, from: node(2), at: .milliseconds(3))
        let later = sent(run(&machine, until: .milliseconds(200)))
        #expect(later.contains { $0.message.kind == .noAnswer(sequence: 5) && $0.target == node(2) })
    }

    @Test func whoIsAccusedRefutesWithAHigherNumber() {
        var machine = machine(others: 2...3)
        let actions =
            machine.received(message(.gossip, [rumour(1, .suspect, by: 3)]), from: node(2), at: .milliseconds(1))
            + run(&machine, until: .milliseconds(1))
        let refutation = rumour(1, .alive, by: 1, refutation: 1)
        #expect(sent(actions).contains { $0.message.rumours.contains(refutation) })
        #expect(machine.healthScore == 1)
        // The same accusation again is old.
        _ = machine.received(message(.gossip, [rumour(1, .dead, by: 3)]), from: node(2), at: .milliseconds(2))
        #expect(machine.refutation == 1)
        #expect(machine.health(of: node(1)) == .alive)
    }

    @Test func aRefutationClearsASuspicionAndOldNewsDoesNotBringItBack() {
        var machine = machine(others: 2...4)
        _ = machine.received(message(.gossip, [rumour(3, .suspect, by: 4)]), from: node(2), at: .milliseconds(1))
        #expect(machine.health(of: node(3)) == .suspect)
        _ = machine.received(
            message(.gossip, [rumour(3, .alive, by: 3, refutation: 1)]), from: node(2), at: .milliseconds(2))
        #expect(machine.health(of: node(3)) == .alive)
        _ = machine.received(message(.gossip, [rumour(3, .suspect, by: 4)]), from: node(2), at: .milliseconds(3))
        #expect(machine.health(of: node(3)) == .alive)
        // The same news at the number of the refutation is new.
        _ = machine.received(
            message(.gossip, [rumour(3, .suspect, by: 4, refutation: 1)]), from: node(2), at: .milliseconds(4))
        #expect(machine.health(of: node(3)) == .suspect)
    }

    @Test func hearsayDoesNotBuryWhoWasHeardAMomentAgo() {
        var machine = machine(others: 2...4)
        let actions = machine.received(
            message(.gossip, [rumour(3, .dead, by: 4)]), from: node(2), at: .milliseconds(100))
        #expect(machine.health(of: node(3)) == .suspect)
        // It is told, so that it can refute.
        #expect(
            sent(actions).contains { $0.target == node(3) && $0.message.rumours.contains(rumour(3, .dead, by: 4)) })
        // Once it has been silent for longer, there is no doubt.
        _ = machine.received(message(.gossip, [rumour(4, .dead, by: 2)]), from: node(2), at: .milliseconds(900))
        #expect(machine.health(of: node(4)) == .dead)
    }

    @Test func aRefusedConnectionShortensTheSuspicion() {
        var machine = machine(others: 2...5)
        _ = machine.linkLost(to: node(3), at: .milliseconds(100))
        #expect(machine.health(of: node(3)) == .alive)
        _ = machine.linkRefused(by: node(3), at: .milliseconds(200))
        #expect(machine.health(of: node(3)) == .suspect)
        _ = run(&machine, until: .milliseconds(699))
        #expect(machine.health(of: node(3)) == .suspect)
        let actions = run(&machine, until: .milliseconds(700))
        #expect(actions.contains(.changed(MemberChange(identity: identity(3), before: .suspect, health: .dead))))
    }

    @Test func confirmationsShortenASuspicionAndIllHealthLengthensIt() {
        let configuration = MembershipConfiguration()
        var suspicion = Suspicion(by: node(2), others: 5, healthScore: 0, configuration: configuration, at: .zero)
        #expect(suspicion.deadline == .seconds(3))
        #expect(suspicion.confirm(by: node(2)) == false)
        var deadlines = [suspicion.deadline]
        for accuser in 3...5 {
            #expect(suspicion.confirm(by: node(UInt16(accuser))) == true)
            deadlines.append(suspicion.deadline)
        }
        #expect(deadlines == deadlines.sorted(by: >))
        #expect(deadlines.last == .milliseconds(1500))
        #expect(suspicion.confirm(by: node(6)) == false)
        let ill = Suspicion(by: node(2), others: 5, healthScore: 8, configuration: configuration, at: .zero)
        #expect(ill.deadline == .seconds(9))
        // Nobody else could confirm it: it is as short as it gets.
        let alone = Suspicion(by: node(2), others: 0, healthScore: 0, configuration: configuration, at: .zero)
        #expect(alone.deadline == .milliseconds(1500))
    }

    @Test func timeInWhichTheProcessStoodStillCountsAgainstNobody() {
        var machine = machine(others: 2...4)
        _ = machine.linkLost(to: node(3), at: .milliseconds(100))
        _ = machine.linkRefused(by: node(3), at: .milliseconds(200))
        // It wakes a minute later: the suspicion has its time still.
        _ = machine.advance(to: .seconds(60))
        #expect(machine.health(of: node(3)) == .suspect)
        #expect(machine.healthScore > 0)
        _ = machine.received(
            message(.gossip, [rumour(3, .alive, by: 3, refutation: 1)]), from: node(2), at: .milliseconds(60_010))
        #expect(machine.health(of: node(3)) == .alive)
    }

    @Test func newsIsSentForAFewRoundsAlone() {
        var machine = machine(others: 2...4)
        _ = run(&machine, until: .seconds(3))
        let news = rumour(3, .suspect, by: 4)
        _ = machine.received(message(.gossip, [news]), from: node(2), at: .seconds(3))
        // The suspect is told in every message: that is not counted.
        let carried = sent(run(&machine, until: .milliseconds(4400))).filter {
            $0.target != node(3) && $0.message.rumours.contains(news)
        }
        #expect(!carried.isEmpty)
        let late = sent(run(&machine, until: .milliseconds(5_500))).filter {
            $0.target != node(3) && $0.message.rumours.contains(news)
        }
        #expect(late.isEmpty)
    }

    @Test func aLaterIncarnationOfThisNodeEndsIt() {
        var machine = machine(others: 2...3)
        let actions = machine.received(
            message(.gossip, [rumour(1, .alive, by: 1, incarnation: 2)]), from: node(2), at: .milliseconds(1))
        #expect(actions.contains(.superseded))
    }

    @Test func whoIsNotKnownIsLookedUp() {
        var machine = machine(others: 2...3)
        let stranger = machine.received(message(.ping(sequence: 1)), from: node(8), at: .milliseconds(1))
        #expect(stranger == [.readMembers])
        // Not again at once.
        #expect(machine.received(message(.ping(sequence: 2)), from: node(8), at: .milliseconds(2)) == [])
    }

    @Test func whoIsNoMemberAnyMoreIsForgotten() {
        var machine = machine(others: 2...3)
        let actions = machine.learned(
            [
                ClusterMember(identity: identity(1), address: "a", weight: 3),
                ClusterMember(identity: identity(2), address: "b"),
            ],
            at: .milliseconds(1))
        #expect(actions.contains(.changed(MemberChange(identity: identity(3), before: .alive, health: .left))))
        #expect(machine.health(of: node(3)) == nil)
        #expect(machine.view.members[node(1)]?.member.weight == 3)
    }

    @Test func aSilentLinkIsMadeAnewWhenOthersReachTheMember() throws {
        var machine = machine(others: 2...4)
        // Everybody answers but one, which others reach.
        let deaf = node(3)
        var remade = false
        var now = Duration.zero
        while now < .seconds(5) {
            now = machine.nextWakeUp
            var queue = machine.advance(to: now)
            while !queue.isEmpty {
                let action = queue.removeFirst()
                if action == .remakeLink(deaf) { remade = true }
                guard case .send(let message, let target) = action else { continue }
                switch message.kind {
                case .ping(let sequence) where target != deaf,
                    .pingRequest(let sequence, _):
                    queue += machine.received(
                        self.message(.acknowledgement(sequence: sequence)), from: target, at: now)
                default: break
                }
            }
        }
        #expect(remade)
        #expect(machine.health(of: deaf) == .alive)
        #expect(machine.view.linkCount(of: node(1)) == 2)
        #expect(!machine.view.areLinked(node(1), deaf))
    }
}
