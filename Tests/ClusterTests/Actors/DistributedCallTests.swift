import Distributed
import FluxCluster
import FluxCore
import NIOCore
import Testing

@Suite struct DistributedCallTests {
    @Test func aCallActivatesTheActorAndReturnsItsValue() async throws {
        try await TestCluster.run { cluster in
            let counter = try cluster.nodes[0].counter(1)
            #expect(try await counter.increase(by: 2) == 2)
            #expect(try await counter.increase(by: 3) == 5)
            #expect(cluster.nodes[0].journal.activations == 1)
        }
    }

    @Test func aThousandCallersAtOnceMakeOneActivation() async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            node.journal.hold()
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<1_000 {
                    group.addTask { try await node.counter(1).increase(by: 1) }
                }
                try await eventually("the activation begins") { node.journal.activations == 1 }
                node.journal.release()
                var totals: Set<Int> = []
                for try await total in group { totals.insert(total) }
                #expect(totals == Set(1...1_000))
            }
            #expect(node.journal.activations == 1)
        }
    }

    @Test func aFailedActivationReachesAllWaitersAndIsNotRemembered() async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            node.journal.hold()
            node.journal.failActivations(1)
            let failures = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        do {
                            _ = try await node.counter(1).increase(by: 1)
                            return false
                        } catch {
                            return error as? Refusal == Refusal(reason: "no such counter")
                        }
                    }
                }
                // All hundred wait for the same activation: each call is posted before its task suspends.
                while await node.system.outstandingCallCount() < 100 { await Task.yield() }
                node.journal.release()
                var failures = 0
                for await failed in group where failed { failures += 1 }
                return failures
            }
            #expect(failures == 100)
            let total = try await node.counter(1).increase(by: 1)
            #expect(total == 1)
            #expect(node.journal.activations == 2)
        }
    }

    @Test func argumentsOfLocalCallsAreNotEncoded() async throws {
        try await TestCluster.run { cluster in
            let value = try await cluster.nodes[0].counter(1).take(Opaque(value: 42))
            #expect(value == 42)
        }
    }

    @Test func localErrorsStayWhatTheyAre() async throws {
        try await TestCluster.run { cluster in
            let counter = try cluster.nodes[0].counter(1)
            await #expect(throws: Refusal(reason: "because")) { try await counter.refuse("because") }
            await #expect(throws: Unspeakable.self) { try await counter.crash() }
        }
    }

    @Test func theEpochOfTheLeaseReachesTheActor() async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            #expect(try await node.counter(1).currentEpoch() == 1)
            try await node.system.acquire([ActorAddress.counter(1).slot])
            #expect(try await node.counter(1).currentEpoch() == 2)
        }
    }

    @Test func aCallEndsAtItsDeadline() async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            node.journal.hold()
            let counter = try node.counter(1)
            await #expect(
                performing: {
                    try await CallOptions.$current.withValue(CallOptions(deadline: .milliseconds(20))) {
                        try await counter.touch()
                    }
                },
                throws: { error in
                    if case CallError.timedOut = error { true } else { false }
                })
        }
    }

    @Test func aCancelledCallerIsFreedAtOnce() async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            try await node.counter(1).touch()
            node.journal.hold()
            let caller = Task { try await node.counter(1).hang() }
            try await eventually("the call runs") { node.journal.entries.contains(.hanging(.counter(1))) }
            caller.cancel()
            await #expect(throws: CancellationError.self) { try await caller.value }
        }
    }

    @Test func aKindThatNobodyRegisteredIsAnError() async throws {
        try await TestCluster.run { cluster in
            let address = ActorAddress(kind: ActorKind(rawValue: 99), key: Snowflake(1))
            let counter: Counter = try cluster.nodes[0].system.handle(at: address)
            await #expect(
                performing: { try await counter.touch() },
                throws: { error in
                    if case CallError.unknownTarget = error { true } else { false }
                })
        }
    }

    @Test func calledOnItsOwnLoopAnActorRunsThere() async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            let executor = node.mesh.executor(of: ActorAddress.counter(1).slot)
            let counter = try node.counter(1)
            let isOnLoop = try await Task(executorPreference: executor) {
                let before = executor.eventLoop.inEventLoop
                try await counter.touch()
                return before && executor.eventLoop.inEventLoop
            }.value
            #expect(isOnLoop)
        }
    }
}
