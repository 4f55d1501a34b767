import FluxFuzzing
import FluxSecurity
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import FluxCluster

/// Links over real sockets of the loopback.
@Suite(.timeLimit(.minutes(3))) struct LinkTransportTests {
    private let cluster = ClusterID.random()

    /// A frame that carries its number and has some size.
    private func frame(_ number: Int, size: Int = 8) -> [UInt8] {
        var writer = WireWriter()
        writer.unsigned(UInt(number))
        return writer.bytes + [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size)
    }

    private func numbers(_ frames: [[UInt8]]) throws -> [Int] {
        try frames.map { frame in
            var reader = WireReader(frame)
            return Int(try reader.unsigned(UInt.self))
        }
    }

    @Test func framesArriveInOrderOnBothLanes() async throws {
        let one = try await LinkNode(1, cluster: cluster)
        let two = try await LinkNode(2, cluster: cluster)
        #expect(!one.send(frame(0), to: two))
        one.link(to: two)
        try await untilLinked(one, two)
        var random = SeededGenerator(seed: 1)
        for number in 0..<20_000 {
            let size = Int.random(in: 0...400, using: &random)
            #expect(one.send(frame(2 * number, size: size), to: two, over: .control))
            #expect(one.send(frame(2 * number + 1, size: size), to: two, over: .bulk))
            if number % 1_000 == 0 { #expect(two.send(frame(number), to: one)) }
        }
        try await eventually("all have arrived") { two.recorder.frames.count == 40_000 }
        let received = try numbers(two.recorder.frames)
        #expect(received.filter { $0 % 2 == 0 } == (0..<20_000).map { 2 * $0 })
        #expect(received.filter { $0 % 2 == 1 } == (0..<20_000).map { 2 * $0 + 1 })
        try await eventually("the other way too") { one.recorder.frames.count == 20 }
        await one.stop()
        try await eventually("the loss is told, once") { two.recorder.losses == 1 }
        await two.stop()
        #expect(one.transport.connectionCounts == (0, 0))
        #expect(two.transport.connectionCounts == (0, 0))
        #expect(two.recorder.losses == 1)
    }

    @Test func largeFramesPassAndTooLargeOnesAreRefused() async throws {
        let one = try await LinkNode(1, cluster: cluster)
        let two = try await LinkNode(2, cluster: cluster)
        two.link(to: one)
        try await untilLinked(one, two)
        let limit = LinkLimits().frameByteCount
        let large = [UInt8](repeating: 3, count: limit - 1)
        #expect(!one.send([UInt8](repeating: 3, count: limit), to: two, over: .bulk))
        #expect(one.send(large, to: two, over: .bulk))
        #expect(one.send([4], to: two, over: .bulk))
        try await eventually("both arrive") { two.recorder.frames.count == 2 }
        #expect(two.recorder.frames == [large, [4]])
        await one.stop()
        await two.stop()
    }

    /// Its loops may end when it has: nothing of it is left there, however it ended, and whatever it was dialling.
    @Test(arguments: [true, false]) func nothingIsBeingDialledAfterTheEnd(inGoodOrder: Bool) async throws {
        let peer = try await LinkNode(2, cluster: cluster)
        var random = SeededGenerator(seed: 3)
        for round in 0..<40 {
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
            let identity = NodeIdentity(name: "node-1", id: NodeID(rawValue: 1)!, incarnation: Int64(round + 1))
            var configuration = LinkConfiguration.test(cluster, .plaintextOnLoopback)
            configuration.limits.backoff = LinkBackoff(first: .microseconds(100), longest: .microseconds(500))
            let transport = LinkTransport(configuration, identity: identity, group: group)
            transport.attach(receiver: FrameRecorder())
            let own = try await transport.start()
            // One that answers, and one where nobody listens any more.
            let nobody = PeerAddress(host: "127.0.0.1", port: 1)
            transport.link(to: [peer.id: peer.address, NodeID(rawValue: 3)!: nobody])
            // Not a wait for anything: it ends at any moment of its dialling.
            try await Task.sleep(for: .microseconds(Int.random(in: 0...3_000, using: &random)))
            if inGoodOrder { await transport.stop() } else { await transport.abort() }
            #expect(own.port != nil && transport.connectionCounts == (0, 0))
            try await group.shutdownGracefully()
        }
        await peer.stop()
    }

    @Test func dialsOfBothAtOnceMakeOneLink() async throws {
        for _ in 0..<20 {
            let nodes = [
                try await LinkNode(1, cluster: cluster), try await LinkNode(2, cluster: cluster),
                try await LinkNode(3, cluster: cluster),
            ]
            for node in nodes {
                let others = nodes.filter { $0.id != node.id }
                node.transport.link(to: Dictionary(uniqueKeysWithValues: others.map { ($0.id, $0.address) }))
            }
            for node in nodes {
                for other in nodes where other.id != node.id { try await untilLinked(node, other) }
            }
            try await eventually("two connections for each of two links are left") {
                nodes.allSatisfy { $0.transport.connectionCounts == (4, 0) }
            }
            // A link carries frames a moment before those who watch are told of it.
            try await eventually("all are told") { nodes.allSatisfy { $0.ups >= 2 } }
            #expect(nodes.allSatisfy { $0.ups == 2 && $0.recorder.losses == 0 })
            for node in nodes { await node.stop() }
        }
    }

    @Test func aCutInTheMiddleLosesFramesButDoublesAndReordersNone() async throws {
        let one = try await LinkNode(1, cluster: cluster)
        let two = try await LinkNode(2, cluster: cluster)
        let proxy = try await TestProxy(target: two.port)
        one.transport.link(to: [two.id: PeerAddress(host: "127.0.0.1", port: UInt16(proxy.port))])
        var next = [TransportLane.control: 0, .bulk: 0]
        for round in 1...15 {
            try await untilLinked(one, two)
            for _ in 0..<2_000 {
                for (lane, offset) in [(TransportLane.control, 0), (.bulk, 1)] {
                    if one.send(frame(2 * next[lane, default: 0] + offset, size: 100), to: two, over: lane) {
                        next[lane, default: 0] += 1
                    }
                }
            }
            proxy.drop()
            try await eventually("both hear of loss \(round)") {
                one.recorder.losses == round && two.recorder.losses == round
            }
        }
        try await untilLinked(one, two)
        #expect(one.send(frame(2_000_000), to: two))
        try await eventually("the last one arrives") { try numbers(two.recorder.frames).last == 2_000_000 }
        let received = try numbers(two.recorder.frames)
        for remainder in 0...1 {
            let lane = received.filter { $0 % 2 == remainder }
            #expect(zip(lane, lane.dropFirst()).allSatisfy { $0 < $1 })
        }
        // As many losses as links before this one, each after its frames: told apart by the gaps that losses leave.
        #expect(one.ups == 16 && two.ups == 16)
        #expect(one.recorder.losses == 15 && two.recorder.losses == 15)
        await one.stop()
        await two.stop()
        await proxy.stop()
    }

    @Test func aPeerThatDoesNotReadFillsABoundedQueueOnly() async throws {
        let one = try await LinkNode(1, cluster: cluster) { $0.limits.bulkQueue = 4 * 1024 * 1024 }
        let two = try await LinkNode(2, cluster: cluster)
        let proxy = try await TestProxy(target: two.port)
        one.transport.link(to: [two.id: PeerAddress(host: "127.0.0.1", port: UInt16(proxy.port))])
        try await untilLinked(one, two)
        // The second connection is the bulk lane's.
        #expect(proxy.connectionCount == 2)
        proxy.stall(connection: 1)
        var accepted = 0
        try await eventually("the queue is full") {
            for _ in 0..<100 {
                guard one.send(frame(accepted, size: 16_384), to: two, over: .bulk) else { return true }
                accepted += 1
            }
            return false
        }
        // Calls go on meanwhile.
        for number in 0..<100 { #expect(one.send(frame(1_000_000 + number), to: two, over: .control)) }
        try await eventually("calls are not delayed") {
            try numbers(two.recorder.frames).count { $0 >= 1_000_000 } == 100
        }
        proxy.resume()
        try await eventually("all that was accepted arrives") { two.recorder.frames.count == accepted + 100 }
        let events = try numbers(two.recorder.frames).filter { $0 < 1_000_000 }
        #expect(events == Array(0..<accepted))
        #expect(one.send(frame(accepted, size: 16_384), to: two, over: .bulk))
        await one.stop()
        await two.stop()
        await proxy.stop()
    }

    @Test func aPeerGetsNoFurtherAheadThanItsCredit() async throws {
        let one = try await LinkNode(1, cluster: cluster)
        let two = try await LinkNode(2, cluster: cluster) { $0.limits.bulkWindow = 64 * 1024 }
        one.link(to: two)
        try await untilLinked(one, two)
        two.recorder.isCongested = true
        for number in 0..<1_000 { #expect(one.send(frame(number, size: 1_000), to: two, over: .bulk)) }
        try await eventually("the window is used up") { two.recorder.frames.count > 60 }
        // The rest waits at the sender: nothing can have come beyond the window and one frame.
        for number in 0..<50 { #expect(one.send(frame(5_000 + number), to: two, over: .control)) }
        try await eventually("calls come") { try numbers(two.recorder.frames).count { $0 >= 5_000 } == 50 }
        let bytes = two.recorder.frames.filter { $0.count > 100 }.map { $0.count + 5 }.reduce(0, +)
        #expect(bytes <= 64 * 1024 + 1_010)
        two.recorder.isCongested = false
        try await eventually("the rest follows") { two.recorder.frames.count == 1_050 }
        let events = try numbers(two.recorder.frames).filter { $0 < 5_000 }
        #expect(events == Array(0..<1_000))
        await one.stop()
        await two.stop()
    }

    @Test func silenceIsALossOnBothSides() async throws {
        let adjust: (inout LinkConfiguration) -> Void = { configuration in
            configuration.limits.pulse = .milliseconds(500)
            // So long that a busy machine is not taken for a silent one: the link has to stand when the proxy stalls.
            configuration.limits.silence = .seconds(10)
        }
        let one = try await LinkNode(1, cluster: cluster, adjust: adjust)
        let two = try await LinkNode(2, cluster: cluster, adjust: adjust)
        let proxy = try await TestProxy(target: two.port)
        one.transport.link(to: [two.id: PeerAddress(host: "127.0.0.1", port: UInt16(proxy.port))])
        try await untilLinked(one, two)
        proxy.stall()
        // Whoever gives it up first closes it, which may reach the other before its own patience ends.
        try await eventually("both give it up") {
            one.recorder.losses > 0 && two.recorder.losses > 0 && (one.refused(.silent) || two.refused(.silent))
        }
        proxy.resume()
        try await untilLinked(one, two)
        await one.stop()
        await two.stop()
        await proxy.stop()
    }

    @Test func aLaterStartOfANodeReplacesItsLink() async throws {
        let one = try await LinkNode(1, cluster: cluster)
        let old = try await LinkNode(2, incarnation: 1, cluster: cluster)
        old.link(to: one)
        try await untilLinked(one, old)
        let new = try await LinkNode(2, incarnation: 2, cluster: cluster)
        new.link(to: one)
        try await eventually("the new one is linked") {
            one.transport.linked == [new.identity] && new.isLinked(to: one)
        }
        try await eventually("the old one is told, and not let in again") {
            old.wasRefused(by: one, .replaced) && old.wasRefused(by: one, .staleIncarnation)
        }
        #expect(one.recorder.losses == 1)
        #expect(one.transport.linked == [new.identity])
        for node in [one, old, new] { await node.stop() }
    }

    @Test func aFrameThatCannotBeReadEndsTheLink() async throws {
        let one = try await LinkNode(1, cluster: cluster)
        let two = try await LinkNode(2, cluster: cluster)
        one.link(to: two)
        try await untilLinked(one, two)
        two.recorder.refuse(true)
        #expect(one.send([1], to: two))
        try await eventually("both lose the link") { one.recorder.losses == 1 && two.recorder.losses == 1 }
        try await eventually("the reason is told") { one.wasRefused(by: two, .malformed("truncated")) }
        two.recorder.refuse(false)
        try await untilLinked(one, two)
        await one.stop()
        await two.stop()
    }

    @Test func aHundredLinksComeAndGoAndLeaveNothing() async throws {
        let one = try await LinkNode(1, cluster: cluster)
        let two = try await LinkNode(2, cluster: cluster)
        for round in 1...100 {
            one.link(to: two)
            try await untilLinked(one, two)
            #expect(one.send(frame(round), to: two))
            one.link()
            try await eventually("both are alone again") {
                one.recorder.losses == round && two.recorder.losses == round
            }
        }
        try await eventually("no connection is left") {
            one.transport.connectionCounts == (0, 0) && two.transport.connectionCounts == (0, 0)
        }
        #expect(one.ups == 100 && two.ups == 100)
        await one.stop()
        await two.stop()
    }

    @Test func neighbouringVersionsLinkAndOthersAreToldWhatTheyNeed() async throws {
        let logs = (present: LogRecorder(), tooNew: LogRecorder())
        let present = try await LinkNode(1, cluster: cluster) { $0.logger = logs.present.logger }
        let next = try await LinkNode(2, cluster: cluster) { $0.dialect = .next }
        let tooNew = try await LinkNode(3, cluster: cluster) {
            $0.dialect = .nextButOne
            $0.logger = logs.tooNew.logger
        }
        for node in [next, tooNew] { node.link(to: present) }
        tooNew.transport.link(to: [present.id: present.address, next.id: next.address])
        try await untilLinked(present, next)
        #expect(next.transport.version(of: present.id) == .current)
        #expect(present.transport.version(of: next.id) == .current)
        try await untilLinked(next, tooNew)
        #expect(next.transport.version(of: tooNew.id) == WireDialect.next.versions.current)
        try await eventually("it is refused, with what is needed") {
            tooNew.wasRefused(by: present, .version(.own)) && present.refused(.version(.own))
        }
        #expect(!tooNew.isLinked(to: present))
        try await eventually("both say what each side speaks, and who has to be upgraded") {
            logs.present.errors.contains(
                "no common wire version: node 3 speaks \(WireDialect.nextButOne.versions), this node speaks "
                    + "\(WireVersionRange.own); upgrade this node first")
                && logs.tooNew.errors.contains(
                    "no common wire version: node 1 speaks \(WireVersionRange.own), this node speaks "
                        + "\(WireDialect.nextButOne.versions); upgrade node 1 first")
        }
        for node in [present, next, tooNew] { await node.stop() }
    }

    @Test func othersAreRefused() async throws {
        let one = try await LinkNode(1, cluster: cluster)
        let foreign = try await LinkNode(2, cluster: .random())
        let lost = try await LinkNode(3, cluster: cluster)
        foreign.link(to: one)
        // The address of one node, the number of another.
        lost.transport.link(to: [NodeID(rawValue: 9)!: one.address])
        try await eventually("another cluster") {
            foreign.wasRefused(by: one, .wrongCluster) && one.refused(.wrongCluster)
        }
        try await eventually("another node") { one.refused(.wrongNode) }
        #expect(one.transport.linked.isEmpty)
        // They try again, less and less often, and stop when they are told to.
        for node in [one, foreign, lost] { await node.stop() }
        #expect(foreign.transport.connectionCounts == (0, 0))
    }

    @Test func plaintextStaysOnTheLoopback() async throws {
        var configuration = LinkConfiguration.test(cluster, .plaintextOnLoopback)
        configuration.listen.host = "0.0.0.0"
        let transport = LinkTransport(
            configuration, identity: NodeIdentity(name: "open", id: NodeID(rawValue: 4)!, incarnation: 1),
            group: NIOSingletons.posixEventLoopGroup)
        await #expect(throws: LinkSetupError.self) { try await transport.start() }
        transport.attach(receiver: FrameRecorder())
        await #expect(throws: LinkSetupError.self) { try await transport.start() }
        await transport.stop()
        let one = try await LinkNode(1, cluster: cluster)
        let far = try await LinkNode(2, cluster: cluster)
        one.transport.link(to: [far.id: PeerAddress(host: "192.0.2.1", port: 7400)])
        try await eventually("it is not dialled") { one.failedToReach(far) }
        await one.stop()
        await far.stop()
        for (host, isLoopback) in [
            ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("localhost", true), ("10.0.0.1", false),
            ("::2", false), ("example.org", false), ("128.0.0.1", false),
        ] {
            #expect(PeerAddress(host: host, port: 1).isLoopback == isLoopback, "\(host)")
        }
    }
}
