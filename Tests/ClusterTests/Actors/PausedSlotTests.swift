import FluxCore
import NIOConcurrencyHelpers
import Testing

@testable import FluxCluster

/// Slots whose callers wait while they are about to be another node's (design 5).
@Suite(.timeLimit(.minutes(2))) struct PausedSlotTests {
    private let address = ActorAddress.counter(5)

    /// Pauses the slot; the box becomes true when no call runs in it.
    private func pause(_ node: TestNode) async -> NIOLockedValueBox<Bool> {
        let isQuiet = NIOLockedValueBox(false)
        node.system.pause(address.slot) { isQuiet.withLockedValue { $0 = true } }
        _ = await node.system.onEachLoop { _ in }
        return isQuiet
    }

    /// Calls one after the other, without waiting for answers; they come in `answers`.
    private func call(_ values: [Int], on node: TestNode, _ answers: NIOLockedValueBox<[Int]>) {
        for value in values {
            node.system.invoke(Counter.add, on: address, value, replyOn: 0) { result in
                if case .success(let total) = result { answers.withLockedValue { $0.append(total) } }
            }
        }
    }

    @Test func callersAreHeldAndRunInOrderWhenTheSlotGoesOn() async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            _ = try await node.system.invoke(Counter.add, on: address, 1)
            let isQuiet = await pause(node)
            #expect(isQuiet.withLockedValue { $0 })
            let answers = NIOLockedValueBox<[Int]>([])
            call([10, 100, 1000], on: node, answers)
            // A slot of the same loop goes on.
            _ = try await node.counter(5 + 1).increase(by: 1)
            _ = await node.system.onEachLoop { _ in }
            #expect(answers.withLockedValue { $0 } == [])
            node.system.resume(address.slot)
            try await eventually("all are answered") { answers.withLockedValue { $0 } == [11, 111, 1111] }
            #expect(try await node.counter(5).list() == [1, 10, 100, 1000])
        }
    }

    @Test func theSlotIsQuietOnlyWhenWhatHasBegunIsAnswered() async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            node.journal.hold()
            async let first: Void = node.counter(5).touch()
            try await eventually("the actor is being made") { node.journal.activations == 1 }
            // What waits for the activation has not begun: it waits on.
            let early = await pause(node)
            #expect(early.withLockedValue { $0 })
            node.journal.release()
            node.system.resume(address.slot)
            try await first

            node.journal.hold()
            async let hanging: Void = node.counter(5).hang()
            try await eventually("it runs") { node.journal.entries.contains(.hanging(address)) }
            let isQuiet = await pause(node)
            #expect(!isQuiet.withLockedValue { $0 })
            node.journal.release()
            try await hanging
            try await eventually("the slot is quiet") { isQuiet.withLockedValue { $0 } }
            node.system.resume(address.slot)
        }
    }

    @Test(arguments: TestWiring.allCases) func callersAreSentOnToTheNextOwner(wiring: TestWiring) async throws {
        try await TestCluster.run(nodes: 3, over: wiring) { cluster in
            let (old, new, third) = (cluster.nodes[0], cluster.nodes[1], cluster.nodes[2])
            _ = try await third.system.invoke(Counter.add, on: address, 1)
            let isQuiet = await pause(old)
            #expect(isQuiet.withLockedValue { $0 })
            let answers = NIOLockedValueBox<[Int]>([])
            call([10, 100], on: old, answers)
            call([1000], on: third, answers)
            // The third node's call may be on its way still; it is held or sent on.
            let epoch = old.system.assignment(of: address.slot).epoch + 1
            new.system.takeUp([address.slot: epoch])
            old.system.sendOn(address.slot, to: new.id, epoch)
            try await eventually("all are answered") { answers.withLockedValue { $0.count } == 3 }
            #expect(try await Set(new.counter(5).list()) == [10, 100, 1000])
            #expect(old.journal.entries.contains(.deactivated(address, .released)))
            #expect(old.system.assignment(of: address.slot).node == new.id)
        }
    }

    @Test func aLostSlotLetsItsCallersGo() async throws {
        try await TestCluster.run(nodes: 2) { cluster in
            let (old, new) = (cluster.nodes[0], cluster.nodes[1])
            _ = await pause(old)
            let answers = NIOLockedValueBox<[Int]>([])
            call([1, 2], on: old, answers)
            let epoch = old.system.assignment(of: address.slot).epoch
            old.system.giveUp([address.slot: epoch])
            new.system.takeUp([address.slot: epoch + 1])
            old.system.learn([Route(slot: address.slot, node: new.id, epoch: epoch + 1)])
            try await eventually("all are answered") { answers.withLockedValue { $0 } == [1, 3] }
        }
    }

    @Test func noMoreAreHeldThanMayWaitForAnActor() async throws {
        try await TestCluster.run(limits: CallLimits(waitingPerActivation: 3)) { cluster in
            let node = cluster.nodes[0]
            _ = await pause(node)
            let outcomes = NIOLockedValueBox<(answered: Int, refused: Int)>((0, 0))
            for value in 1...5 {
                node.system.invoke(Counter.add, on: address, value, replyOn: 0) { result in
                    outcomes.withLockedValue { outcomes in
                        switch result {
                        case .success: outcomes.answered += 1
                        case .failure(.overloaded): outcomes.refused += 1
                        case .failure: break
                        }
                    }
                }
            }
            try await eventually("two are refused") { outcomes.withLockedValue { $0.refused } == 2 }
            node.system.resume(address.slot)
            try await eventually("three are answered") { outcomes.withLockedValue { $0.answered } == 3 }
        }
    }
}
