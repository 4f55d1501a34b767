import FluxFuzzing
import FluxSecurity
import NIOCore
import Testing

@testable import FluxCluster

/// What strangers do to the cluster port.
@Suite(.timeLimit(.minutes(3))) struct LinkHostileTests {
    private let cluster = ClusterID.random()

    private func hello(
        from number: UInt16 = 9, to target: UInt16 = 1, lane: TransportLane = .control, link: UInt64? = nil,
        window: UInt64 = 1 << 20
    ) -> LinkFrame {
        .hello(
            LinkHello(
                versions: .own, cluster: cluster,
                identity: NodeIdentity(name: "stranger", id: NodeID(rawValue: number)!, incarnation: 1),
                target: NodeID(rawValue: target)!, lane: lane, link: link, window: window))
    }

    private func encoded(_ frame: LinkFrame) -> [UInt8] {
        var buffer = ByteBuffer()
        frame.encode(into: &buffer)
        return Array(buffer.readableBytesView)
    }

    @Test func garbageIsRefusedWithAReasonAndLeavesNothing() async throws {
        // Some lengths claim more than will come.
        let node = try await LinkNode(1, cluster: cluster) { $0.limits.handshakeTime = .seconds(2) }
        var random = SeededGenerator(seed: 9)
        for round in 0..<20 {
            var peers: [RawPeer] = []
            for _ in 0..<20 {
                let peer = try await RawPeer(port: node.port)
                var bytes: [UInt8]
                switch Int.random(in: 0...3, using: &random) {
                case 0: bytes = Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
                case 1:
                    bytes = (0..<Int.random(in: 5...2_000, using: &random)).map { _ in
                        .random(in: 0...255, using: &random)
                    }
                case 2:
                    bytes = ConnectionMode.link.preamble
                    // A length that fits, and anything behind it.
                    bytes += [64, 0, 0, 0] + (0..<64).map { _ in .random(in: 0...255, using: &random) }
                default:
                    bytes = ConnectionMode.link.preamble + encoded(hello())
                    bytes[Int.random(in: 5..<bytes.count, using: &random)] ^= 1 << Int.random(in: 0..<8, using: &random)
                    bytes += [UInt8](repeating: 0xFF, count: 8)
                }
                peer.say(bytes)
                peers.append(peer)
            }
            for peer in peers {
                try await eventually("every stranger is sent away") { peer.isClosed }
                // Some of the damaged ones were welcomed, as the stranger they said to be, before they said more.
                guard case .refusal? = peer.frames.last else {
                    Issue.record("round \(round): closed without a reason: \(peer.frames)")
                    continue
                }
            }
        }
        try await eventually("nothing is left") { node.transport.connectionCounts == (0, 0) }
        #expect(node.transport.linked.isEmpty && node.ups == 0 && node.recorder.entries.isEmpty)
        let member = try await LinkNode(2, cluster: cluster)
        member.link(to: node)
        try await untilLinked(node, member)
        await node.stop()
        await member.stop()
    }

    @Test func whoSaysNothingIsClosedAndKeepsNobodyOut() async throws {
        let node = try await LinkNode(1, cluster: cluster) { configuration in
            configuration.limits.halfOpen = 8
        }
        var silent: [RawPeer] = []
        for _ in 0..<60 { silent.append(try await RawPeer(port: node.port)) }
        // One more pushes the oldest out; long before any time is up.
        try await eventually("only the bound is left") { node.transport.connectionCounts.open <= 8 }
        #expect(node.transport.connectionCounts.halfOpen <= 8)
        let member = try await LinkNode(2, cluster: cluster)
        member.link(to: node)
        try await untilLinked(node, member)
        try await eventually("its link is no half-open connection") { node.transport.connectionCounts.halfOpen <= 8 }
        #expect(node.isLinked(to: member))
        for peer in silent { peer.close() }
        try await eventually("the link alone is left") { node.transport.connectionCounts == (2, 0) }
        await node.stop()
        await member.stop()
    }

    @Test(arguments: ["nothing", "half a preamble", "half a hello", "a hello and no more"])
    func handshakesEndInTime(_ what: String) async throws {
        let node = try await LinkNode(1, cluster: cluster) { configuration in
            configuration.limits.handshakeTime = .milliseconds(300)
        }
        let peer = try await RawPeer(port: node.port)
        let whole = ConnectionMode.link.preamble + encoded(hello())
        switch what {
        case "nothing": break
        case "half a preamble": peer.say(Array(whole.prefix(3)))
        case "half a hello": peer.say(Array(whole.prefix(20)))
        default: peer.say(whole)
        }
        try await eventually("it is closed") { peer.isClosed }
        #expect(peer.frames.last == .refusal(.timedOut))
        try await eventually("nothing is left") { node.transport.connectionCounts == (0, 0) }
        #expect(node.recorder.entries.isEmpty && node.ups == 0)
        await node.stop()
    }

    /// A peer that has gone through the whole handshake by hand.
    private func member(of node: LinkNode) async throws -> (control: RawPeer, bulk: RawPeer) {
        let control = try await RawPeer(port: node.port)
        control.say(ConnectionMode.link.preamble)
        control.say(hello())
        try await eventually("control is welcome") { !control.frames.isEmpty }
        guard case .welcome(let welcome)? = control.frames.first else {
            Issue.record("not welcome: \(control.frames)")
            throw CancellationError()
        }
        let bulk = try await RawPeer(port: node.port)
        bulk.say(ConnectionMode.link.preamble)
        bulk.say(hello(lane: .bulk, link: welcome.link))
        try await eventually("bulk is welcome") { !bulk.frames.isEmpty }
        control.say(.ready)
        bulk.say(.ready)
        try await eventually("the link is up") { node.transport.linked.count == 1 }
        return (control, bulk)
    }

    @Test(arguments: [
        "overdraw", "credit", "hello", "length", "kind", "close",
    ]) func aMemberThatBreaksTheProtocolLosesItsLink(_ what: String) async throws {
        let node = try await LinkNode(1, cluster: cluster) { configuration in
            configuration.limits.bulkWindow = 1_000
            configuration.limits.frameByteCount = 2_000
        }
        node.recorder.isCongested = what == "overdraw"
        let (control, bulk) = try await member(of: node)
        bulk.say(.data([1, 2, 3]))
        try await eventually("frames arrive") { node.recorder.frames == [[1, 2, 3]] }
        let reason: LinkRefusal?
        switch what {
        case "overdraw":
            for _ in 0..<3 { bulk.say(.data([UInt8](repeating: 0, count: 700))) }
            reason = .creditOverdrawn
        case "credit":
            bulk.say(.credit(1 << 40))
            reason = .malformed("more credit than was taken")
        case "hello":
            bulk.say(hello())
            reason = .malformed("handshake in an established connection")
        case "length":
            bulk.say([0xFF, 0xFF, 0xFF, 0x7F])
            reason = .malformed("frame of 2147483647 bytes, at most 2000 are taken")
        case "kind":
            bulk.say([2, 0, 0, 0, 77, 1])
            reason = .malformed("unknownCase(77)")
        default:
            bulk.close()
            reason = nil
        }
        try await eventually("both connections end") { control.isClosed && bulk.isClosed }
        if let reason { #expect(bulk.frames.last == .refusal(reason)) }
        #expect(control.frames.last == .refusal(reason ?? .otherLaneEnded))
        try await eventually("the loss is heard") { node.recorder.losses == 1 }
        #expect(node.recorder.entries.last == .lost(NodeID(rawValue: 9)!))
        try await eventually("nothing is left") { node.transport.connectionCounts == (0, 0) }
        await node.stop()
    }
}
