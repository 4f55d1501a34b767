import FluxCore
import Testing

@testable import FluxCluster

@Suite struct SlotTests {
    private let slot = Slot(rawValue: 7)!
    private let first = NodeID(rawValue: 1)!
    private let second = NodeID(rawValue: 2)!

    @Test func knowledgeOnlyMovesForward() {
        var table = SlotTable()
        #expect(table.owner(of: slot) == nil)
        #expect(table.learn(slot, node: first, epoch: 5) == true)
        #expect(table.learn(slot, node: second, epoch: 5) == false)
        #expect(table.learn(slot, node: second, epoch: 4) == false)
        #expect(table.owner(of: slot) == first)
        #expect(table.learn(slot, node: second, epoch: 6) == true)
        #expect(table[slot] == .init(node: second, epoch: 6))
        #expect(table.forget(slot, epoch: 5) == false)
        #expect(table.forget(slot, epoch: 6) == true)
        #expect(table.owner(of: slot) == nil)
        // Old gossip must not bring a lost owner back.
        #expect(table.learn(slot, node: second, epoch: 6) == false)
        #expect(table.learn(slot, node: first, epoch: 7) == true)
        #expect(table.slots(of: first) == [slot])
    }

    @Test func aNodeLosesOnlyWhatWasReportedAtItsEpochOrLater() {
        var ownership = SlotOwnership()
        ownership.gain(slot, epoch: 5)
        #expect(ownership.lose(slot, epoch: 4) == false)
        #expect(ownership.epoch(of: slot) == 5)
        ownership.gain(slot, epoch: 3)
        #expect(ownership.epoch(of: slot) == 5)
        #expect(ownership.lose(slot, epoch: 5) == true)
        #expect(ownership.epoch(of: slot) == nil)
        #expect(ownership.lose(slot, epoch: 9) == false)
    }

    @Test func callsAreRoutedBySlotOrByTheNodeInTheirKey() {
        let sessions = ActorKind(rawValue: 4)
        var routing = Routing(node: first)
        #expect(routing.destination(of: .counter(1)) == .unowned)
        #expect(routing.learn([ActorAddress.counter(1).slot: 1], node: first) == true)
        #expect(routing.destination(of: .counter(1)) == .here)
        #expect(routing.learn([ActorAddress.counter(1).slot: 2], node: second) == true)
        #expect(routing.learn([ActorAddress.counter(1).slot: 2], node: second) == false)
        #expect(routing.destination(of: .counter(1)) == .node(second))
        routing.place(sessions) { NodeID(rawValue: UInt16(truncatingIfNeeded: $0)) }
        #expect(!routing.isPlacedBySlot(sessions))
        #expect(routing.destination(of: ActorAddress(kind: sessions, key: 1, slot: slot)) == .here)
        #expect(routing.destination(of: ActorAddress(kind: sessions, key: 2, slot: slot)) == .node(second))
        #expect(routing.destination(of: ActorAddress(kind: sessions, key: 5_000, slot: slot)) == .nowhere)
        // Another node's slot is not ours to forget.
        #expect(routing.forget([ActorAddress.counter(1).slot: 9]) == false)
    }

    @Test func rendezvousGivesEachNodeItsShare() {
        let nodes = (1...5).map { Rendezvous.Candidate(node: NodeID(rawValue: $0)!, weight: $0 == 5 ? 2 : 1) }
        let rendezvous = Rendezvous(nodes)
        var shares: [NodeID: Int] = [:]
        for slot in Slot.all { shares[rendezvous.owner(of: slot)!, default: 0] += 1 }
        for node in nodes {
            let expected = 1_024 * node.weight / 6
            #expect(abs(Double(shares[node.node] ?? 0) - expected) < expected * 0.25)
        }
    }

    @Test func rendezvousMovesOnlyWhatItMust() {
        let nodes = (1...5).map { Rendezvous.Candidate(node: NodeID(rawValue: $0)!) }
        let before = Rendezvous(nodes)
        let without = Rendezvous(nodes.dropLast())
        let heavier = Rendezvous(nodes.dropLast() + [.init(node: nodes[4].node, weight: 3)])
        for slot in Slot.all {
            let owner = before.owner(of: slot)
            if owner != nodes[4].node {
                #expect(without.owner(of: slot) == owner)
                let next = heavier.owner(of: slot)
                #expect(next == owner || next == nodes[4].node)
            } else {
                #expect(heavier.owner(of: slot) == owner)
            }
        }
        #expect(Rendezvous(nodes.reversed()).owner(of: slot) == before.owner(of: slot))
        #expect(Rendezvous([]).owner(of: slot) == nil)
        #expect(Rendezvous([.init(node: first, weight: 0)]).owner(of: slot) == nil)
    }

    @Test(arguments: 1...20) func aPlacementThatIsKeptUpIsWhatRendezvousSays(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var placement = SlotPlacement()
        for _ in 0..<30 {
            let hasEqualShares = Int.random(in: 0..<4, using: &random) > 0
            var candidates: [Rendezvous.Candidate] = []
            for number in UInt16(1)...7 where Bool.random(using: &random) {
                let weight = hasEqualShares ? 1 : Double.random(in: 0...3, using: &random)
                candidates.append(Rendezvous.Candidate(node: NodeID(rawValue: number)!, weight: weight))
            }
            placement.change(to: candidates)
            let rendezvous = Rendezvous(candidates)
            #expect(placement.candidates == candidates)
            #expect(Slot.all.allSatisfy { placement.owner(of: $0) == rendezvous.owner(of: $0) })
        }
    }

    @Test func whatBeganFirstIsDueFirst() {
        let slots = Slot.all
        var queue = SlotQueue<Epoch>()
        for number in [5, 3, 9, 1] { queue.append(slots[number], Epoch(number), until: .seconds(9)) }
        #expect(queue.deadline == .seconds(9) && queue.count == 4)
        #expect(queue[slots[3]] == 3 && queue.contains(slots[3]) && !queue.contains(slots[4]))
        queue.remove(slots[3])
        queue.append(slots[5], 6, until: .seconds(12))
        #expect(queue.takeDue(at: .seconds(8)).isEmpty)
        #expect(queue.takeDue(at: .seconds(9)).map(\.slot) == [slots[1], slots[9]])
        #expect(queue.deadline == .seconds(12) && queue[slots[5]] == 6 && !queue.contains(slots[9]))
        #expect(queue.takeDue(at: .seconds(12)).map(\.value) == [6] && queue.isEmpty && queue.deadline == nil)
    }
}
