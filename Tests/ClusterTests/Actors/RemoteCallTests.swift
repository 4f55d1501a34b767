import FluxCore
import FluxFuzzing
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import FluxCluster

@Suite struct RemoteCallTests {
    private func isUnreachable(_ error: any Error) -> Bool {
        if case CallError.unreachable = error { true } else { false }
    }

    @Test(arguments: TestWiring.allCases) func actorsLiveWhereTheirSlotIsAndNowhereElse(_ wiring: TestWiring)
        async throws
    {
        try await TestCluster.run(nodes: 3, spread: true, over: wiring) { cluster in
            for key in UInt64(1)...60 {
                for (step, node) in cluster.nodes.enumerated() {
                    let total = try await node.counter(key).increase(by: 1)
                    #expect(total == step * 2 + 1)
                    let hot = try await node.system.invoke(Counter.add, on: .counter(key), 1)
                    #expect(hot == step * 2 + 2)
                }
            }
            let activations = cluster.nodes.map(\.journal.activations)
            #expect(activations.reduce(0, +) == 60)
            #expect(activations.allSatisfy { $0 > 0 })
        }
    }

    @Test(arguments: TestWiring.allCases) func argumentsAndErrorsCross(_ wiring: TestWiring) async throws {
        try await TestCluster.run(nodes: 2, over: wiring) { cluster in
            let far = cluster.nodes[1]
            let counter = try far.counter(1)
            // Only an argument that was encoded arrives changed.
            let value = try await counter.take(Opaque(value: 42))
            #expect(value == -1)
            await #expect(throws: Refusal(reason: "far")) { try await counter.refuse("far") }
            await #expect(
                performing: { try await counter.crash() },
                throws: { error in
                    if case CallError.failed("Unspeakable") = error { true } else { false }
                })
            await #expect(throws: Refusal(reason: "no")) {
                _ = try await far.system.invoke(Counter.refuse, on: .counter(1), Nothing())
            }
            await #expect(
                performing: {
                    _ = try await far.system.invoke(Counter.drop, on: .counter(1), Nothing())
                }, throws: { if case CallError.unanswered = $0 { true } else { false } })
            await #expect(
                performing: {
                    _ = try await far.system.invoke(Counter.unregistered, on: .counter(1), Nothing())
                }, throws: { if case CallError.unknownTarget = $0 { true } else { false } })
            cluster.nodes[0].journal.failActivations(1)
            await #expect(throws: Refusal(reason: "no such counter")) { try await far.counter(2).touch() }
        }
    }

    @Test(arguments: TestWiring.allCases) func aCallToAnotherNodeEndsAtItsDeadline(_ wiring: TestWiring) async throws {
        try await TestCluster.run(nodes: 2, over: wiring) { cluster in
            cluster.nodes[0].journal.hold()
            await #expect(
                performing: {
                    _ = try await cluster.nodes[1].system.invoke(
                        Counter.add, on: .counter(1), 1, deadline: .milliseconds(20))
                }, throws: { if case CallError.timedOut = $0 { true } else { false } })
        }
    }

    @Test(arguments: TestWiring.allCases) func callsOfOneSenderRunInOrderOnAnotherNode(_ wiring: TestWiring)
        async throws
    {
        try await TestCluster.run(nodes: 2, over: wiring) { cluster in
            let (near, far) = (cluster.nodes[0], cluster.nodes[1])
            near.journal.hold()
            let answered = NIOLockedValueBox(0)
            far.mesh.post(to: 0) {
                for value in 0..<1_000 {
                    far.system.invoke(Counter.add, on: .counter(1), value, deadline: .seconds(60)) { _ in
                        answered.withLockedValue { $0 += 1 }
                    }
                }
            }
            try await eventually("the activation begins") { near.journal.activations == 1 }
            near.journal.release()
            try await eventually("all are answered") { answered.withLockedValue { $0 } == 1_000 }
            let values = try await far.counter(1).list()
            #expect(values == Array(0..<1_000))
        }
    }

    @Test(arguments: TestWiring.allCases) func aStaleCallerIsSentOn(_ wiring: TestWiring) async throws {
        try await TestCluster.run(nodes: 3, over: wiring) { cluster in
            let address = ActorAddress.counter(1)
            _ = try await cluster.nodes[2].counter(1).increase(by: 1)
            // The second node takes the slot; only the first hears of it.
            let epochs = try await cluster.nodes[1].system.acquire([address.slot])
            let epoch = try #require(epochs[address.slot])
            await cluster.nodes[0].system.lost([address.slot: epoch])
            cluster.nodes[0].system.learn(address.slot, node: cluster.nodes[1].id, epoch: epoch)
            let total = try await cluster.nodes[2].counter(1).increase(by: 1)
            #expect(total == 1)
            let next = try await cluster.nodes[2].system.invoke(Counter.add, on: address, 1)
            #expect(next == 2)
            #expect(cluster.nodes[2].system.assignment(of: address.slot).node == cluster.nodes[1].id)
            #expect(cluster.nodes[0].journal.entries.contains(.deactivated(address, .slotLost)))
        }
    }

    @Test(arguments: TestWiring.allCases) func aCallWaitsForASlotThatHasNoOwnerYet(_ wiring: TestWiring) async throws {
        try await TestCluster.run(nodes: 2, over: wiring) { cluster in
            let address = ActorAddress.counter(1)
            await cluster.nodes[0].system.lost([address.slot: 1])
            async let total = CallOptions.$current.withValue(CallOptions(deadline: .minutes(5))) {
                try await cluster.nodes[0].counter(1).increase(by: 3)
            }
            try await eventually("the call waits") { await cluster.nodes[0].system.outstandingCallCount() == 1 }
            let epochs = try await cluster.nodes[1].system.acquire([address.slot])
            cluster.nodes[0].system.learn(address.slot, node: cluster.nodes[1].id, epoch: epochs[address.slot] ?? 0)
            let value = try await total
            #expect(value == 3)
            #expect(cluster.nodes[1].journal.activations == 1)
        }
    }

    @Test(arguments: TestWiring.allCases) func aLostLinkFailsCallsThatMayHaveRun(_ wiring: TestWiring) async throws {
        try await TestCluster.run(nodes: 2, over: wiring) { cluster in
            let (near, far) = (cluster.nodes[0], cluster.nodes[1])
            near.journal.hold()
            async let failed = Result {
                try await CallOptions.$current.withValue(CallOptions(deadline: .minutes(5))) {
                    try await far.counter(1).increase(by: 1)
                }
            }
            async let hot = Result {
                try await far.system.invoke(Counter.add, on: .counter(1), 1, deadline: .minutes(5))
            }
            try await eventually("both are sent") { await far.system.outstandingCallCount() == 2 }
            try await eventually("both have arrived") { near.journal.activations == 1 }
            try await cluster.cut(near.id, far.id)
            for result in await [failed, hot] {
                guard case .failure(let error) = result else {
                    Issue.record("must fail")
                    continue
                }
                #expect(isUnreachable(error))
            }
            // Without a link at all nothing can have run: they wait for one.
            async let later = far.counter(1).increase(by: 1)
            try await eventually("the call waits") { await far.system.outstandingCallCount() == 1 }
            near.journal.release()
            try await cluster.heal(near.id, far.id)
            _ = try await later
        }
    }

    @Test(arguments: TestWiring.allCases) func aLostLinkRepeatsWhatDoesNoHarm(_ wiring: TestWiring) async throws {
        try await TestCluster.run(nodes: 2, over: wiring) { cluster in
            let (near, far) = (cluster.nodes[0], cluster.nodes[1])
            near.journal.hold()
            async let declared = CallOptions.$current.withValue(CallOptions(isIdempotent: true)) {
                try await far.counter(1).currentEpoch()
            }
            async let keyed = far.counter(2).take(keyed: Keyed(value: 5))
            async let hot = far.system.invoke(Counter.addTwice, on: .counter(3), 5)
            try await eventually("all have arrived") { near.journal.activations == 3 }
            try await cluster.cut(near.id, far.id)
            near.journal.release()
            try await eventually("the calls try again in vain") { await far.system.outstandingCallCount() == 3 }
            try await cluster.heal(near.id, far.id)
            let epoch = try await declared
            #expect(epoch == 1)
            _ = try await keyed
            _ = try await hot
        }
    }

    @Test(arguments: TestWiring.allCases) func anActorThatLosesItsSlotInTheMiddleSendsRepeatableCallsOn(
        _ wiring: TestWiring
    ) async throws {
        try await TestCluster.run(nodes: 2, over: wiring) { cluster in
            let (old, new) = (cluster.nodes[0], cluster.nodes[1])
            let address = ActorAddress.counter(1)
            let answered = NIOLockedValueBox(0)
            old.system.invoke(Counter.keep, on: address, Nothing()) { _ in answered.withLockedValue { $0 += 1 } }
            try await eventually("the old owner keeps the call") { old.journal.entries.contains(.kept(address)) }
            let epochs = try await new.system.acquire([address.slot])
            let epoch = try #require(epochs[address.slot])
            old.system.learn(address.slot, node: new.id, epoch: epoch)
            await old.system.lost([address.slot: epoch])
            // Dropped without an answer by the actor that went away: the caller hears so, nothing hangs.
            try await eventually("it is answered") { answered.withLockedValue { $0 } == 1 }
        }
    }

    @Test(arguments: TestWiring.allCases) func eventsArriveInOrder(_ wiring: TestWiring) async throws {
        try await TestCluster.run(nodes: 2, over: wiring) { cluster in
            let seen = NIOLockedValueBox<[Int]>([])
            let source = cluster.nodes[0]
            cluster.nodes[1].system.register(event: 3) { node, payload in
                #expect(node == source.id)
                if let value = try? payload.value(Int.self) { seen.withLockedValue { $0.append(value) } }
            }
            for value in 0..<100 {
                let isSent = source.system.send(event: 3, to: cluster.nodes[1].id) { $0.value(value) }
                #expect(isSent)
            }
            #expect(source.system.send(event: 9, to: cluster.nodes[1].id) { _ in })
            try await eventually("all have arrived") { seen.withLockedValue { $0.count } == 100 }
            #expect(seen.withLockedValue { $0 } == Array(0..<100))
            try await cluster.cut(source.id, cluster.nodes[1].id)
            let isSent = source.system.send(event: 3, to: cluster.nodes[1].id) { $0.value(1) }
            #expect(!isSent)
        }
    }

    @Test(arguments: TestWiring.allCases) func aMethodOfAnotherTypeIsRefused(_ wiring: TestWiring) async throws {
        try await TestCluster.run(nodes: 2, over: wiring) { cluster in
            let address = ActorAddress(kind: Stranger.kind, key: Snowflake(1))
            // Distributed funcs of a counter, asked of a stranger.
            let impostor: Counter = try cluster.nodes[1].system.handle(at: address)
            await #expect(
                performing: { _ = try await impostor.increase(by: 1) },
                throws: { error in
                    if case CallError.unknownTarget = error { true } else { false }
                })
            await #expect(
                performing: {
                    _ = try await cluster.nodes[1].system.invoke(Counter.add, on: address, 1)
                }, throws: { if case CallError.unknownTarget = $0 { true } else { false } })
            let stranger: Stranger = try cluster.nodes[1].system.handle(at: address)
            let greeting = try await stranger.greet()
            #expect(greeting == "hello")
        }
    }

    @Test(arguments: TestWiring.allCases) func garbageFromAPeerIsRefusedAndHarmsNobody(_ wiring: TestWiring)
        async throws
    {
        try await TestCluster.run(nodes: 2, over: wiring) { cluster in
            let (near, far) = (cluster.nodes[0], cluster.nodes[1])
            var random = SeededGenerator(seed: 3)
            var refused = 0
            for await _ in GivingWay(0..<FuzzBudget.inputs / 10) {
                var writer = WireWriter()
                ClusterFrame.call(
                    .init(
                        reference: .init(loop: 0, token: 1), address: .counter(1), timeout: 1_000,
                        method: Bool.random(using: &random) ? .number(1) : .name("$s12ClusterTests7CounterC"))
                ).encode(to: &writer)
                writer.value(1)
                var bytes = writer.bytes
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
                }
                do throws(WireError) {
                    try near.system.receive(bytes, from: far.id)
                } catch {
                    refused += 1
                }
            }
            #expect(refused > 0)
            // Replies to loops that never were make the other side close the link, as long as such replies come.
            try await eventually("the node still serves") {
                try await cluster.heal(near.id, far.id)
                return (try? await far.counter(2_000_000).increase(by: 1)) != nil
            }
        }
    }
}

extension Result where Failure == any Error {
    /// What the work returns or throws.
    fileprivate init(_ work: () async throws -> Success) async {
        do {
            self = .success(try await work())
        } catch {
            self = .failure(error)
        }
    }
}
