import FluxCore
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import FluxCluster

@Suite struct LifecycleTests {
    @Test func anIdleActorLeavesAndIsMadeAgain() async throws {
        try await TestCluster.run(limits: CallLimits(idleTime: .milliseconds(40))) { cluster in
            let node = cluster.nodes[0]
            try await node.counter(1).touch()
            try await eventually("it leaves") { node.journal.entries.contains(.deactivated(.counter(1), .idle)) }
            let count = await node.system.actorCount()
            #expect(count == 0)
            try await node.counter(1).touch()
            #expect(node.journal.activations == 2)
        }
    }

    @Test func anActorThatMayNotLeaveStays() async throws {
        try await TestCluster.run(limits: CallLimits(idleTime: .milliseconds(8))) { cluster in
            let node = cluster.nodes[0]
            node.journal.isBusy = true
            try await node.counter(1).touch()
            // A second actor that may leave shows that rounds pass.
            for _ in 0..<200 { await node.passivateOnce() }
            #expect(!node.journal.entries.contains(.deactivated(.counter(1), .idle)))
            node.journal.isBusy = false
            try await eventually("it leaves") { node.journal.entries.contains(.deactivated(.counter(1), .idle)) }
        }
    }

    @Test func passivationLosesNoCall() async throws {
        // Rounds run all the time while calls come: each call must be answered, by one activation or the next.
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            let isDone = NIOLockedValueBox(false)
            async let rounds: Void = {
                while !isDone.withLockedValue({ $0 }) { await node.passivateOnce() }
            }()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<500 {
                            _ = try await node.system.invoke(Counter.add, on: .counter(1), 1)
                            try await node.counter(1).touch()
                        }
                    }
                }
                try await group.waitForAll()
            }
            isDone.withLockedValue { $0 = true }
            await rounds
            let deactivations = node.journal.entries.count { $0 == .deactivated(.counter(1), .idle) }
            let alive = await node.system.actorCount()
            #expect(node.journal.activations == deactivations + alive)
        }
    }

    @Test func aCallUnderWayKeepsItsActor() async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            try await node.counter(1).touch()
            node.journal.hold()
            async let hanging: Void = CallOptions.$current.withValue(CallOptions(deadline: .minutes(5))) {
                try await node.counter(1).hang()
            }
            try await eventually("the call runs") { node.journal.entries.contains(.hanging(.counter(1))) }
            for _ in 0..<100 { await node.passivateOnce() }
            #expect(!node.journal.entries.contains(.deactivated(.counter(1), .idle)))
            node.journal.release()
            try await hanging
            for _ in 0..<100 { await node.passivateOnce() }
            try await eventually("it leaves") { node.journal.entries.contains(.deactivated(.counter(1), .idle)) }
        }
    }

    @Test func aLostSlotTakesItsActorsAndNoOthers() async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            let lost = ActorAddress.counter(1)
            let kept = try #require((UInt64(2)...).lazy.map(ActorAddress.counter).first { $0.slot != lost.slot })
            try await node.counter(1).touch()
            try await node.counter(kept.key).touch()
            // A report about an older epoch has no effect.
            await node.system.lost([lost.slot: 0])
            #expect(!node.journal.entries.contains(.deactivated(lost, .slotLost)))
            await node.system.lost([lost.slot: 1])
            #expect(node.journal.entries.contains(.deactivated(lost, .slotLost)))
            #expect(!node.journal.entries.contains(.deactivated(kept, .slotLost)))
            #expect(node.system.assignment(of: lost.slot).node == nil)
            await #expect(
                performing: {
                    _ = try await node.system.invoke(Counter.add, on: lost, 1, deadline: .milliseconds(20))
                }, throws: { if case CallError.timedOut = $0 { true } else { false } })
            try await node.system.acquire([lost.slot])
            let epoch = try await node.counter(1).currentEpoch()
            #expect(epoch == 2)
        }
    }

    @Test func anActivationThatTheSlotLeftIsThrownAway() async throws {
        try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            let address = ActorAddress.counter(1)
            node.journal.hold()
            async let total = node.counter(1).increase(by: 1)
            try await eventually("the activation begins") { node.journal.activations == 1 }
            await node.system.lost([address.slot: 1])
            try await node.system.acquire([address.slot])
            try await eventually("another activation begins") { node.journal.activations == 2 }
            node.journal.release()
            // The call that waited for the first activation is served by the second.
            let value = try await total
            #expect(value == 1)
            let epoch = try await node.counter(1).currentEpoch()
            #expect(epoch == 2)
            try await eventually("the first is let go") {
                node.journal.entries.contains(.deactivated(address, .slotLost))
            }
            let count = await node.system.actorCount()
            #expect(count == 1)
        }
    }

    @Test func slotsComeAndGoUnderLoadWithoutTwoActorsAtOnce() async throws {
        try await TestCluster.run(nodes: 2) { cluster in
            let address = ActorAddress.counter(1)
            let answered = NIOLockedValueBox(0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for node in cluster.nodes + cluster.nodes {
                    group.addTask {
                        for _ in 0..<200 {
                            do {
                                _ = try await node.system.invoke(
                                    Counter.addTwice, on: address, 1, deadline: .seconds(60))
                            } catch CallError.unanswered {
                                // Its actor was let go between the call and the answer.
                            }
                            answered.withLockedValue { $0 += 1 }
                        }
                    }
                }
                for move in 0..<15 {
                    let (from, to) = (cluster.nodes[move % 2], cluster.nodes[(move + 1) % 2])
                    try await eventually("calls are answered") { answered.withLockedValue { $0 } >= move * 50 }
                    try await from.system.release([address.slot])
                    let epochs = try await to.system.acquire([address.slot])
                    from.system.learn(address.slot, node: to.id, epoch: epochs[address.slot] ?? 0)
                }
                try await group.waitForAll()
            }
            let entries = cluster.nodes.flatMap(\.journal.entries)
            let epochs = entries.compactMap { if case .activating(address, let epoch) = $0 { epoch } else { nil } }
            #expect(epochs.count > 1)
            // One activation per epoch: no slot was served twice at once.
            #expect(Set(epochs).count == epochs.count)
        }
    }

    @Test func hostedActorsAreReachedByTheNodeInTheirKey() async throws {
        try await TestCluster.run(nodes: 2) { cluster in
            let kind = ActorKind(rawValue: 210)
            for node in cluster.nodes {
                node.system.register(kind) { NodeID(rawValue: UInt16(truncatingIfNeeded: $0 >> 32)) }
            }
            let node = cluster.nodes[0]
            let slot = Slot(rawValue: 1)!
            let address = ActorAddress(kind: kind, key: UInt64(node.id.rawValue) << 32 | 5, slot: slot)
            let isHosted = await withCheckedContinuation { (continuation: CheckedContinuation<[Bool], Never>) in
                node.mesh.post(to: node.mesh.index(of: slot)) {
                    let hosted = (0..<2).map { _ in
                        node.system.host(at: address) {
                            Counter(actorSystem: node.system, epoch: 0, journal: node.journal)
                        } != nil
                    }
                    continuation.resume(returning: hosted)
                }
            }
            #expect(isHosted == [true, false])
            let far: Counter = try cluster.nodes[1].system.handle(at: address)
            let total = try await far.increase(by: 4)
            #expect(total == 4)
            // The loss of the slot is nothing to it.
            await node.system.lost([slot: 1])
            let next = try await cluster.nodes[1].system.invoke(Counter.add, on: address, 1)
            #expect(next == 5)
            let absent = ActorAddress(kind: kind, key: address.key + 1, slot: slot)
            await #expect(
                performing: {
                    _ = try await cluster.nodes[1].system.invoke(Counter.add, on: absent, 1)
                }, throws: { if case CallError.noSuchActor = $0 { true } else { false } })
            node.system.release(address)
            try await eventually("it is gone") {
                node.journal.entries.contains(.deactivated(address, .released))
            }
        }
    }

    @Test func aStoppedNodeHasLetEverythingGo() async throws {
        let journal = try await TestCluster.run { cluster in
            let node = cluster.nodes[0]
            for key in UInt64(1)...20 { try await node.counter(key).touch() }
            return node.journal
        }
        let released = journal.entries.filter { if case .deactivated(_, .released) = $0 { true } else { false } }
        #expect(released.count == 20)
    }
}

extension TestNode {
    /// One round of passivation on every loop, as if the idle time were over.
    func passivateOnce() async {
        _ = await system.onEachLoop { $0.passivate() }
    }
}
