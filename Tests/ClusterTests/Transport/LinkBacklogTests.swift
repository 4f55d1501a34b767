import FluxSecurity
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import FluxCluster

/// What a node that cannot keep up does to the memory of others, and of itself (I8).
@Suite(.timeLimit(.minutes(3))) struct LinkBacklogTests {
    @Test func eventsForASlowLoopAreHeldBackAtTheirSender() async throws {
        try await TestCluster.run(nodes: 2, loops: 2, over: .plaintext, byteBound: 1 << 20) { cluster in
            let (sender, receiver) = (cluster.nodes[0], cluster.nodes[1])
            let gate = ConditionLock(value: false)
            func open() {
                gate.lock()
                gate.unlock(withValue: true)
            }
            let (arrived, done) = (NIOLockedValueBox(0), NIOLockedValueBox(0))
            defer { open() }
            let mesh = receiver.mesh
            receiver.system.register(event: 70) { _, _ in
                arrived.withLockedValue { $0 += 1 }
                // The loop beside the one that reads the connection.
                mesh.post(to: ((mesh.currentIndex ?? 0) + 1) % mesh.count) {
                    gate.lock(whenValue: true)
                    gate.unlock()
                    done.withLockedValue { $0 += 1 }
                }
            }
            let payload = [UInt8](repeating: 7, count: 1 << 20)
            for _ in 0..<40 {
                #expect(sender.system.send(event: 70, to: receiver.id) { $0.raw(payload) })
            }
            // A window of 16 MiB may come without any credit.
            try await eventually("the window is used up") { arrived.withLockedValue { $0 } >= 15 }
            // More must not come; only time can show that.
            try await Task.sleep(for: .milliseconds(300))
            // That, a frame that overdraws it, and what was given back before too much waited.
            #expect(arrived.withLockedValue { $0 } <= 24)
            #expect((0..<mesh.count).contains { mesh.byteBacklog(of: $0) > 1 << 20 })
            open()
            try await eventually("the rest follows") { done.withLockedValue { $0 } == 40 }
            try await eventually("nothing waits") { (0..<mesh.count).allSatisfy { mesh.byteBacklog(of: $0) == 0 } }
        }
    }

    @Test func aLinkThatIsGivenUpIsLostOnBothSidesAtOnceAndMadeAgain() async throws {
        let cluster = ClusterID.random()
        let one = try await LinkNode(1, cluster: cluster)
        let two = try await LinkNode(2, cluster: cluster)
        one.transport.breakLink(to: two.id)
        one.link(to: two)
        try await untilLinked(one, two)
        one.transport.breakLink(to: two.id)
        try await eventually("both lose the link") { one.recorder.losses == 1 && two.recorder.losses == 1 }
        try await eventually("the reason is told") { two.wasRefused(by: one, .congested) }
        try await eventually("there is another one") { one.ups == 2 && two.ups == 2 }
        try await untilLinked(one, two)
        #expect(one.send([2], to: two) && two.send([3], to: one))
        try await eventually("which works") { two.recorder.frames == [[2]] && one.recorder.frames == [[3]] }
        #expect(one.recorder.losses == 1 && two.recorder.losses == 1)
        await one.stop()
        await two.stop()
    }

    @Test func aLinkKnowsTheFeaturesThatBothHave() async throws {
        let cluster = ClusterID.random()
        let (shared, extra) = (LinkFeatures(rawValue: 1 << 3), LinkFeatures(rawValue: 1 << 9))
        let one = try await LinkNode(1, cluster: cluster) { $0.features = shared }
        let two = try await LinkNode(2, cluster: cluster) { $0.features = [shared, extra] }
        let three = try await LinkNode(3, cluster: cluster) { $0.features = [shared, extra] }
        let plain = try await LinkNode(4, cluster: cluster)
        #expect(one.transport.features(of: two.id) == nil)
        one.link(to: two)
        three.link(to: one, two, plain)
        let pairs: [(LinkNode, LinkNode, LinkFeatures)] = [
            (one, two, shared), (three, one, shared), (three, two, [shared, extra]), (three, plain, []),
        ]
        for (left, right, features) in pairs {
            try await untilLinked(left, right)
            #expect(left.transport.features(of: right.id) == features)
            #expect(right.transport.features(of: left.id) == features)
            #expect(left.transport.version(of: right.id) == .current)
        }
        for node in [one, two, three, plain] { await node.stop() }
    }
}
