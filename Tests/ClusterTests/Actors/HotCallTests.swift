import FluxCluster
import FluxCore
import NIOConcurrencyHelpers
import NIOCore
import Testing

@Suite struct HotCallTests {
    @Test func aHotCallIsAnsweredOnTheLoopThatAsked() async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            let places = await withCheckedContinuation { (continuation: CheckedContinuation<[Int?], Never>) in
                let places = NIOLockedValueBox<[Int?]>([])
                for index in 0..<2 {
                    node.system.invoke(Counter.add, on: .counter(1), 1, replyOn: index) { _ in
                        let seen = places.withLockedValue { places in
                            places.append(node.mesh.currentIndex == index ? index : nil)
                            return places
                        }
                        if seen.count == 2 { continuation.resume(returning: seen) }
                    }
                }
            }
            #expect(Set(places) == [0, 1])
        }
    }

    @Test(arguments: [false, true])
    func callsOfOneSenderRunInOrderAlsoAcrossActivation(isOnSameLoop: Bool) async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            let home = node.mesh.index(of: ActorAddress.counter(1).slot)
            let source = isOnSameLoop ? home : 1 - home
            let count = 2_000
            node.journal.hold()
            let answers = NIOLockedValueBox<[Int]>([])
            node.mesh.post(to: source) {
                for value in 0..<count / 2 {
                    node.system.invoke(Counter.add, on: .counter(1), value, deadline: .minutes(5)) { _ in
                        answers.withLockedValue { $0.append(value) }
                    }
                }
            }
            try await eventually("the activation begins") { node.journal.activations == 1 }
            node.journal.release()
            node.mesh.post(to: source) {
                for value in count / 2..<count {
                    node.system.invoke(Counter.add, on: .counter(1), value, deadline: .minutes(5)) { _ in
                        answers.withLockedValue { $0.append(value) }
                    }
                }
            }
            try await eventually("all are answered") { answers.withLockedValue { $0.count } == count }
            #expect(try await node.counter(1).list() == Array(0..<count))
            #expect(answers.withLockedValue { $0 } == Array(0..<count))
        }
    }

    @Test(arguments: [0, 1]) func aCallThatWakesNobodyReachesOnlyWhoIsHere(node: Int) async throws {
        try await TestCluster.run(nodes: 2) { cluster in
            let caller = cluster.nodes[node].system
            do {
                _ = try await caller.invoke(Counter.peek, on: .counter(1), 5)
                Issue.record("nobody was there to answer")
            } catch CallError.noSuchActor {}
            #expect(cluster.nodes[0].journal.activations == 0)
            #expect(try await caller.invoke(Counter.add, on: .counter(1), 1) == 1)
            #expect(try await caller.invoke(Counter.peek, on: .counter(1), 5) == 6)
            #expect(cluster.nodes[0].journal.activations == 1)
        }
    }

    @Test func errorsAreTyped() async throws {
        try await TestCluster.run { cluster in
            let system = cluster.nodes[0].system
            await #expect(throws: Refusal(reason: "no")) {
                _ = try await system.invoke(Counter.refuse, on: .counter(1), Nothing())
            }
            await #expect(
                performing: {
                    _ = try await system.invoke(Counter.drop, on: .counter(1), Nothing())
                }, throws: { if case CallError.unanswered = $0 { true } else { false } })
            await #expect(
                performing: {
                    _ = try await system.invoke(Counter.unregistered, on: .counter(1), Nothing())
                }, throws: { if case CallError.unknownTarget = $0 { true } else { false } })
            await #expect(
                performing: {
                    _ = try await system.invoke(
                        Counter.keep, on: .counter(1), Nothing(), deadline: .milliseconds(20))
                }, throws: { if case CallError.timedOut = $0 { true } else { false } })
        }
    }

    @Test func whatWaitsForAnActivationIsBounded() async throws {
        try await TestCluster.run(limits: CallLimits(waitingPerActivation: 10)) { cluster in
            let node = cluster.nodes[0]
            node.journal.hold()
            let results = NIOLockedValueBox<[Bool]>([])
            node.mesh.post(to: 0) {
                for _ in 0..<15 {
                    node.system.invoke(Counter.add, on: .counter(1), 1) { result in
                        let isOverloaded = if case .failure(.overloaded) = result { true } else { false }
                        results.withLockedValue { $0.append(isOverloaded) }
                    }
                }
            }
            try await eventually("five are refused") {
                // A busy machine may have let others run out of time by now.
                results.withLockedValue { $0.prefix(5) } == [true, true, true, true, true]
            }
            node.journal.release()
            try await eventually("ten run") { results.withLockedValue { $0.count } == 15 }
            #expect(results.withLockedValue { $0.count { !$0 } } == 10)
        }
    }

    @Test func whatRunsInAnActorIsBounded() async throws {
        try await TestCluster.run(limits: CallLimits(runningPerActor: 3)) { cluster in
            let node = cluster.nodes[0]
            let refused = NIOLockedValueBox(0)
            for _ in 0..<5 {
                node.system.invoke(Counter.keep, on: .counter(1), Nothing(), replyOn: 0) { result in
                    if case .failure(.overloaded) = result { refused.withLockedValue { $0 += 1 } }
                }
            }
            try await eventually("two are refused") { refused.withLockedValue { $0 } == 2 }
            #expect(node.journal.entries.count { $0 == .kept(.counter(1)) } == 3)
        }
    }

    @Test func whatALoopWaitsForIsBounded() async throws {
        try await TestCluster.run(limits: CallLimits(outstandingPerLoop: 4)) { cluster in
            let node = cluster.nodes[0]
            let refused = NIOLockedValueBox(0)
            for _ in 0..<6 {
                node.system.invoke(Counter.keep, on: .counter(1), Nothing(), replyOn: 0) { result in
                    if case .failure(.overloaded) = result { refused.withLockedValue { $0 += 1 } }
                }
            }
            try await eventually("two are refused") { refused.withLockedValue { $0 } == 2 }
        }
    }

    @Test func anActiveActorIsReachedFromItsLoopWithoutACall() async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            let address = ActorAddress.counter(1)
            _ = try await node.system.invoke(Counter.add, on: address, 5)
            let found = await withCheckedContinuation { (continuation: CheckedContinuation<[Int?], Never>) in
                node.mesh.post(to: node.mesh.index(of: address.slot)) {
                    let active = node.system.withActive(Counter.self, at: address) { $0.add(1) }
                    let other = ActorAddress(kind: Counter.kind, key: 77, slot: address.slot)
                    let absent = node.system.withActive(Counter.self, at: other) { $0.add(1) }
                    continuation.resume(returning: [active, absent])
                }
            }
            #expect(found == [6, nil])
        }
    }
}
