import FluxCore
import NIOConcurrencyHelpers
import Testing

@testable import FluxCluster

/// Calls whose owner is dead or on the move: they wait instead of failing, and run once and in order.
@Suite struct WaitingForOwnersTests {
    /// What came of calls, by the value they carried.
    private final class Answers: Sendable {
        private let state = NIOLockedValueBox<[Int: Result<Int, CallError>]>([:])
        var count: Int { state.withLockedValue { $0.count } }
        var failures: [CallError] {
            state.withLockedValue { $0.values.compactMap { if case .failure(let error) = $0 { error } else { nil } } }
        }
        func take(_ value: Int, _ result: Result<Int, CallError>) { state.withLockedValue { $0[value] = result } }
    }

    private func add(
        _ values: Range<Int>, _ call: Call<Counter, Int, Int>, on node: TestNode, _ answers: Answers,
        address: ActorAddress = .counter(1)
    ) {
        node.mesh.post(to: 0) {
            for value in values {
                node.system.invoke(call, on: address, value, deadline: .minutes(5)) { answers.take(value, $0) }
            }
        }
    }

    @Test(arguments: TestWiring.allCases) func callsWithoutALinkWaitForItInOrder(_ wiring: TestWiring) async throws {
        try await TestCluster.run(nodes: 2, over: wiring) { cluster in
            let (near, far) = (cluster.nodes[0], cluster.nodes[1])
            try await cluster.cut(near.id, far.id)
            let answers = Answers()
            add(0..<500, Counter.add, on: far, answers)
            try await eventually("all wait") { await far.system.outstandingCallCount() == 500 }
            #expect(answers.count == 0 && near.journal.activations == 0)
            try await cluster.heal(near.id, far.id)
            try await eventually("all are answered") { answers.count == 500 }
            #expect(answers.failures.isEmpty)
            let values = try await far.counter(1).list()
            #expect(values == Array(0..<500))
        }
    }

    @Test(arguments: TestWiring.allCases) func whatWasUnderWayAndWhatCameLaterReachTheNextOwnerInOrder(
        _ wiring: TestWiring
    ) async throws {
        try await TestCluster.run(nodes: 3, over: wiring) { cluster in
            let (dead, edge, next) = (cluster.nodes[0], cluster.nodes[1], cluster.nodes[2])
            let address = ActorAddress.counter(1)
            dead.journal.hold()
            let answers = Answers()
            add(0..<200, Counter.addTwice, on: edge, answers)
            try await eventually("they are under way") { dead.journal.activations == 1 }
            try await cluster.cut(dead.id, edge.id)
            add(200..<400, Counter.add, on: edge, answers)
            try await eventually("all wait") { await edge.system.outstandingCallCount() == 400 }
            #expect(answers.count == 0)
            let epochs = try await next.system.acquire([address.slot])
            edge.system.learn(address.slot, node: next.id, epoch: try #require(epochs[address.slot]))
            try await eventually("all are answered") { answers.count == 400 }
            #expect(answers.failures.isEmpty)
            let values = try await next.counter(1).list()
            #expect(values == Array(0..<400))
        }
    }

    @Test func anActorThatHasLostItsSlotSendsOnWhatDoesNoHarm() async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let (old, edge, next) = (cluster.nodes[0], cluster.nodes[1], cluster.nodes[2])
            let address = ActorAddress.counter(1)
            for caller in [old, edge] {
                await #expect(
                    performing: { _ = try await caller.system.invoke(Counter.lose, on: address, 1) },
                    throws: { if case CallError.slotLost = $0 { true } else { false } })
            }
            let answers = Answers()
            for (index, caller) in [old, edge].enumerated() {
                add(index..<index + 1, Counter.loseTwice, on: caller, answers)
                add(2 + index..<3 + index, Counter.leave, on: caller, answers)
            }
            try await eventually("they are asked again") {
                await old.system.outstandingCallCount() + edge.system.outstandingCallCount() == 4
            }
            let epoch = try #require(try await next.system.acquire([address.slot])[address.slot])
            await old.system.lost([address.slot: epoch])
            for node in [old, edge] { node.system.learn(address.slot, node: next.id, epoch: epoch) }
            try await eventually("all are answered") { answers.count == 4 }
            #expect(answers.failures.isEmpty)
            let values = try await next.counter(1).list()
            #expect(values.sorted() == [0, 1, 2, 3])
        }
    }

    @Test func waitingEndsAndTheErrorSaysWhetherAnythingMayHaveRun() async throws {
        let limits = CallLimits(stallTime: .milliseconds(200))
        try await TestCluster.run(nodes: 2, limits: limits) { cluster in
            let (near, far) = (cluster.nodes[0], cluster.nodes[1])
            near.journal.hold()
            let answers = Answers()
            add(0..<1, Counter.addTwice, on: far, answers)
            try await eventually("it is under way") { near.journal.activations == 1 }
            try await cluster.cut(near.id, far.id)
            try await eventually("it is given up") { answers.count == 1 }
            guard case .unreachable? = answers.failures.first else {
                Issue.record("it may have run: \(answers.failures)")
                return
            }
            await #expect(
                performing: { _ = try await far.system.invoke(Counter.add, on: .counter(2), 1, deadline: .minutes(5)) },
                throws: { if case CallError.notOwner = $0 { true } else { false } })
            // A deadline that is nearer counts.
            await #expect(
                performing: {
                    _ = try await far.system.invoke(Counter.add, on: .counter(2), 1, deadline: .milliseconds(60))
                }, throws: { if case CallError.timedOut = $0 { true } else { false } })
            #expect(await far.system.outstandingCallCount() == 0)
        }
    }

    @Test func noMoreWaitThanTheBound() async throws {
        try await TestCluster.run(nodes: 2, limits: CallLimits(stalledPerLoop: 3)) { cluster in
            let (near, far) = (cluster.nodes[0], cluster.nodes[1])
            try await cluster.cut(near.id, far.id)
            let answers = Answers()
            add(0..<5, Counter.add, on: far, answers)
            try await eventually("two are refused") { answers.count == 2 }
            #expect(answers.failures.allSatisfy { if case .overloaded = $0 { true } else { false } })
            try await cluster.heal(near.id, far.id)
            try await eventually("the others are answered") { answers.count == 5 }
            #expect(answers.failures.count == 2)
            let values = try await far.counter(1).list()
            #expect(values == [0, 1, 2])
        }
    }

    @Test func theArgumentsOfWhatWaitsAreBoundedToo() async throws {
        // A small number is one byte.
        try await TestCluster.run(nodes: 2, limits: CallLimits(stalledBytesPerLoop: 2)) { cluster in
            let (near, far) = (cluster.nodes[0], cluster.nodes[1])
            try await cluster.cut(near.id, far.id)
            let answers = Answers()
            add(0..<3, Counter.add, on: far, answers)
            try await eventually("one is refused") { answers.count == 1 }
            try await cluster.heal(near.id, far.id)
            try await eventually("the others are answered") { answers.count == 3 }
            #expect(answers.failures.count == 1)
        }
    }
}
