import FluxCore
import NIOConcurrencyHelpers
import Testing

@testable import FluxCluster

/// Nodes of this build beside one that comes after it (I10): neither notices, and what only the newer one knows is said only
/// where it is understood.
@Suite struct MixedVersionTests {
    private static let later = WireDialect.next.versions.current

    @Test func aBuildToComeSpeaksOneVersionMoreAndTheOneAfterItNoneOfOurs() {
        #expect(WireDialect.own.versions.agreed(with: WireDialect.next.versions) == .current)
        #expect(WireDialect.next.versions.agreed(with: WireDialect.nextButOne.versions) == Self.later)
        #expect(WireDialect.own.versions.agreed(with: WireDialect.nextButOne.versions) == nil)
    }

    /// What only handshakes and joins carry; the rest crosses in the tests of clusters.
    @Test func handshakesAndJoinsOfABuildToComeAreRead() throws {
        let identity = NodeIdentity(name: "n", id: NodeID(rawValue: 2)!, incarnation: 4)
        let frames: [LinkFrame] = [
            .hello(
                LinkHello(
                    versions: .own, cluster: .random(), identity: identity, target: identity.id, lane: .bulk, link: 7,
                    window: 9, features: LinkFeatures(rawValue: 1 << 63 | 6))),
            .welcome(
                LinkWelcome(
                    version: .current, identity: identity, link: 3, window: 5, features: LinkFeatures(rawValue: 16))),
            .refusal(.version(.own)), .refusal(.malformed("how")), .refusal(.stopping), .ready, .credit(4), .ping(1),
        ]
        for frame in frames {
            let raw = frame.raw(.next)
            #expect(try LinkFrame(raw) == frame)
            if case .hello = frame { #expect(raw != frame.raw(.own)) }
        }
        func survives<Value: WireCodable & Equatable>(_ value: Value) throws {
            let bytes = value.encoded(dialect: .next)
            #expect(bytes != value.encoded())
            #expect(try Value(decoding: bytes) == value)
        }
        let address = PeerAddress(host: "h", port: 3)
        try survives(
            JoinRequest(
                versions: .own, cluster: .random(), secret: [1], name: "n", address: address, signingRequest: [2]))
        try survives(
            JoinGrant(
                node: identity.id, certificateChainPEM: [1], authorityCertificatePEM: [2], authorityKeyPEM: [3],
                members: [JoinMember(name: "m", node: identity.id, address: address)], databaseURL: "u"))
        try survives(JoinRefusal.version(.own))
        try survives(JoinRefusal.nameTaken)
    }

    @Test func whatNodesSayOfMembersAndSlotsIsRead() throws {
        func survives<Value: WireCodable & Equatable>(_ value: Value) throws {
            #expect(try Value(decoding: value.encoded(dialect: .next)) == value)
        }
        let (one, two) = (NodeID(rawValue: 1)!, NodeID(rawValue: 2)!)
        let rumours: [Rumour] = [
            .health(HealthRumour(node: two, incarnation: 3, refutation: 1, health: .suspect, accuser: one)),
            .report(NodeReport(node: two, incarnation: 3, number: 9, isReady: true, links: [one, two])),
        ]
        for kind: MembershipMessage.Kind in [
            .ping(sequence: 1), .acknowledgement(sequence: 2), .pingRequest(sequence: 3, target: two),
            .noAnswer(sequence: 4), .gossip, .exchange, .exchangeAnswer,
        ] {
            try survives(MembershipMessage(incarnation: 3, refutation: 0, kind: kind, rumours: rumours))
        }
        let slot = Slot(rawValue: 5)!
        for message: SlotMessage in [
            .offer(slot, 3), .accept(slot, 3), .decline(slot, 3), .callOff(slot, 3), .granted(slot, 4),
            .consent([Route(slot: slot, node: one, epoch: 2)]), .routes([Route(slot: slot, node: two, epoch: 9)]),
        ] {
            try survives(message)
        }
    }

    @Test func aFrameOfAVersionThatIsNotSpokenIsRefused() throws {
        var writer = WireWriter(version: Self.later)
        ClusterFrame.event(.init(event: 9)).encode(to: &writer)
        #expect(throws: WireError.malformed("version 2")) {
            try ClusterFrame.decode(writer.bytes, speaking: WireDialect.own.versions)
        }
        #expect(throws: Never.self) {
            try ClusterFrame.decode(writer.bytes, speaking: WireDialect.next.versions)
        }
    }

    @Test(arguments: TestWiring.allCases) func callsCrossBetweenVersionsInBothDirections(
        _ wiring: TestWiring
    ) async throws {
        try await TestCluster.run(nodes: 3, spread: true, over: wiring, dialects: [.own, .next, .own]) { cluster in
            for source in cluster.nodes {
                for target in cluster.nodes {
                    let key = try key(on: target, salt: UInt64(source.id.rawValue) * 1_000)
                    let counter = try source.counter(key)
                    #expect(try await counter.increase(by: 2) == 2)
                    #expect(try await source.system.invoke(Counter.add, on: .counter(key), 3) == 5)
                    #expect(try await counter.list() == [2, 3])
                    let refusal = await #expect(throws: Refusal.self) { try await counter.refuse("why") }
                    #expect(refusal?.reason == "why")
                    await #expect(throws: Refusal.self) {
                        try await source.system.invoke(Counter.refuse, on: .counter(key), Nothing())
                    }
                }
            }
        }
    }

    @Test(arguments: TestWiring.allCases) func whatOnlyTheNextVersionKnowsGoesOnlyToItsNodes(
        _ wiring: TestWiring
    ) async throws {
        try await TestCluster.run(nodes: 3, spread: true, over: wiring, dialects: [.own, .next, .next]) { cluster in
            let (old, new, other) = (cluster.nodes[0], cluster.nodes[1], cluster.nodes[2])
            let event = ClusterEvent(number: 500, since: Self.later)
            let heard = NIOLockedValueBox<[NodeID: [UInt16]]>([:])
            for node in cluster.nodes {
                for known in [event, 501, 502] {
                    node.system.register(event: known) { _, _ in
                        heard.withLockedValue { $0[node.id, default: []].append(known.number) }
                    }
                }
            }
            for target in [old, other] {
                let isNew = target.id == other.id
                #expect(new.system.send(event: event, to: target.id) { $0.bool(true) } == isNew)
                // A new case of something that has always been there.
                #expect(new.system.send(event: 501, to: target.id) { $0.value(LaterValue(value: 1)) } == isNew)
                #expect(new.system.send(event: 502, to: target.id) { $0.bool(true) })
            }
            try await eventually("what was sent has come") {
                heard.withLockedValue { $0[old.id] == [502] && $0[other.id] == [500, 501, 502] }
            }

            let (near, far) = (try key(on: old), try key(on: other))
            #expect(try await new.system.invoke(Counter.addLater, on: .counter(far), 4) == 4)
            #expect(try await new.system.invoke(Counter.tellLater, on: .counter(far), 1) == LaterValue(value: 5))
            func isUnknown(_ error: any Error) -> Bool {
                if case CallError.unknownTarget = error { true } else { false }
            }
            // A call that the old node does not know; and an answer that it would not understand.
            await #expect(
                performing: { try await new.system.invoke(Counter.addLater, on: .counter(near), 4) }, throws: isUnknown)
            await #expect(
                performing: { try await old.system.invoke(Counter.tellLater, on: .counter(far), 4) }, throws: isUnknown)
            // Nothing of that ran on the old node, and the links are as they were.
            #expect(try await old.counter(near).list() == [])
            #expect(try await old.system.invoke(Counter.add, on: .counter(far), 1) == 10)
        }
    }

    /// A key whose slot the node owns.
    private func key(on node: TestNode, salt: UInt64 = 0) throws -> UInt64 {
        try #require((salt + 1...salt + 1_000).first { node.system.owns(ActorAddress.counter($0).slot) })
    }
}
