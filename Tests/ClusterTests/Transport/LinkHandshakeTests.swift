import FluxSecurity
import Testing

@testable import FluxCluster

@Suite struct LinkHandshakeTests {
    private typealias Proof = LinkHandshake.PeerProof

    private static let cluster = ClusterID.random()
    private static let fingerprint = CertificateFingerprint(bytes: [UInt8](repeating: 7, count: 32))!

    private func expectation(
        _ number: UInt16, versions: WireVersionRange = .own, cluster: ClusterID = cluster,
        features: LinkFeatures = .own
    ) -> LinkHandshake.Expectation {
        LinkHandshake.Expectation(
            identity: NodeIdentity(name: "node-\(number)", id: NodeID(rawValue: number)!, incarnation: 3),
            versions: versions, cluster: cluster, features: features)
    }

    private func range(_ oldest: UInt8, _ current: UInt8) -> WireVersionRange {
        WireVersionRange(oldest: .init(rawValue: oldest), current: .init(rawValue: current))
    }

    private func dialler(
        _ expectation: LinkHandshake.Expectation? = nil, target: UInt16 = 2, proof: Proof = .plaintext
    ) -> LinkHandshake {
        LinkHandshake(
            role: .dialler(target: NodeID(rawValue: target)!, lane: .control, link: nil),
            expectation: expectation ?? self.expectation(1), window: 1000, proof: proof)
    }

    private func acceptor(_ expectation: LinkHandshake.Expectation? = nil, proof: Proof = .plaintext) -> LinkHandshake {
        LinkHandshake(role: .acceptor, expectation: expectation ?? self.expectation(2), window: 2000, proof: proof)
    }

    private func hello(_ handshake: inout LinkHandshake) -> LinkFrame? {
        if case .send(let frame) = handshake.begin() { frame } else { nil }
    }

    @Test func bothEndsAgree() throws {
        var (one, two) = (dialler(), acceptor())
        #expect(two.begin() == .none)
        let greeting = try #require(hello(&one))
        guard case .decide(let hello, let version) = two.received(greeting) else {
            Issue.record("must decide")
            return
        }
        #expect(version == .current)
        #expect(hello.identity.id == NodeID(rawValue: 1))
        guard case .send(let answer) = two.decided(link: 9), case .welcomed(let welcome) = one.received(answer) else {
            Issue.record("must be welcome")
            return
        }
        #expect(welcome.link == 9)
        #expect(!one.isEstablished)
        #expect(one.start() == .send(.ready))
        #expect(two.received(.ready) == .established)
        #expect(one.isEstablished && two.isEstablished)
        #expect(one.peerWindow == 2000 && two.peerWindow == 1000)
        #expect(two.received(.data([1])) == .deliver(.data([1])))
    }

    @Test(
        arguments: [
            (1, 1, 1, 1, UInt8?.some(1)), (1, 2, 1, 1, 1), (1, 1, 1, 2, 1), (2, 3, 1, 2, 2), (1, 2, 2, 3, 2),
            (2, 3, 1, 1, nil),
            (1, 1, 2, 3, nil), (3, 4, 1, 2, nil),
        ] as [(UInt8, UInt8, UInt8, UInt8, UInt8?)])
    func neighbouringVersionsAgreeAndOthersAreToldWhatIsNeeded(
        _ one: UInt8, _ oneCurrent: UInt8, _ two: UInt8, _ twoCurrent: UInt8, agreed: UInt8?
    ) throws {
        let (left, right) = (range(one, oneCurrent), range(two, twoCurrent))
        var dialling = dialler(expectation(1, versions: left))
        var accepting = acceptor(expectation(2, versions: right))
        _ = accepting.begin()
        let action = accepting.received(try #require(hello(&dialling)))
        guard let agreed else {
            #expect(action == .refuse(.version(right)))
            #expect(dialling.received(.refusal(.version(right))) == .refused(.version(right)))
            let text = LinkEvent.describe(.version(right), own: left, peer: NodeID(rawValue: 2)!)
            #expect(text.contains(left.description) && text.contains(right.description), "\(text)")
            return
        }
        guard case .decide(_, let version) = action else {
            Issue.record("must decide: \(action)")
            return
        }
        #expect(version.rawValue == agreed)
    }

    @Test(
        arguments: [(0, 0, 0), (0b0110, 0b0110, 0b0110), (0b0110, 0b0010, 0b0010), (0b0110, 0b1100, 0b0100), (1, 2, 0)]
            as [(UInt64, UInt64, UInt64)])
    func featuresAreTheOnesThatBothHave(_ left: UInt64, _ right: UInt64, both: UInt64) throws {
        var one = dialler(expectation(1, features: LinkFeatures(rawValue: left)))
        var two = acceptor(expectation(2, features: LinkFeatures(rawValue: right)))
        _ = two.begin()
        _ = two.received(try #require(hello(&one)))
        guard case .send(let answer) = two.decided(link: 9), case .welcomed(let welcome) = one.received(answer) else {
            Issue.record("must be welcome")
            return
        }
        #expect(welcome.features == LinkFeatures(rawValue: both))
        #expect(one.features == LinkFeatures(rawValue: both) && two.features == LinkFeatures(rawValue: both))
    }

    @Test func featuresThatWereNotOfferedOrAreNotKnownMeanNothing() throws {
        var dialler = dialler(expectation(1, features: LinkFeatures(rawValue: 0b01)))
        _ = dialler.begin()
        let welcome = LinkWelcome(
            version: .current, identity: expectation(2).identity, link: 1, window: 1,
            features: LinkFeatures(rawValue: 0b11))
        #expect(dialler.received(.welcome(welcome)) == .welcomed(welcome))
        #expect(dialler.features == LinkFeatures(rawValue: 0b01))
        // On the wire they are numbers, of which a later build may have more than there are bits.
        var writer = WireWriter()
        writer.list([0, 63, 64, 1_000, .max] as [UInt64])
        #expect(try LinkFeatures(decoding: writer.bytes) == LinkFeatures(rawValue: 1 << 63 | 1))
        // What builds without any have always sent.
        #expect(LinkFeatures().encoded() == [0])
    }

    @Test func othersAreRefused() throws {
        var stranger = dialler(expectation(1, cluster: .random()))
        var acceptor = acceptor()
        _ = acceptor.begin()
        #expect(acceptor.received(try #require(hello(&stranger))) == .refuse(.wrongCluster))

        var lost = dialler(target: 5)
        acceptor = self.acceptor()
        _ = acceptor.begin()
        #expect(acceptor.received(try #require(hello(&lost))) == .refuse(.wrongNode))

        var mirror = dialler(expectation(2))
        acceptor = self.acceptor()
        _ = acceptor.begin()
        #expect(acceptor.received(try #require(hello(&mirror))) == .refuse(.wrongNode))

        // Who answers must be who was asked for, and choose a version that was offered.
        for (identity, version, refusal) in [
            (expectation(3).identity, WireVersion.current, LinkRefusal.wrongNode),
            (expectation(2).identity, WireVersion(rawValue: 9), .version(.own)),
        ] {
            var dialler = dialler()
            _ = dialler.begin()
            let welcome = LinkWelcome(version: version, identity: identity, link: 1, window: 1)
            #expect(dialler.received(.welcome(welcome)) == .refuse(refusal))
            #expect(dialler.received(.welcome(welcome)) == .none)
        }
    }

    @Test func theCertificateMustBeAMembersAndTheNodesOwn() throws {
        func proof(_ node: UInt16, isMember: Bool = true, cluster: ClusterID = Self.cluster) -> Proof {
            .certificate(Self.fingerprint, isMember: isMember, names: NodeCertificate(cluster: cluster, node: node))
        }
        for (proof, refusal) in [
            (Proof.missing, LinkRefusal.certificateMissing), (proof(1, isMember: false), .certificateRefused),
            (proof(3), .certificateMismatch), (proof(1, cluster: .random()), .certificateMismatch),
            (.certificate(Self.fingerprint, isMember: true, names: nil), .certificateMismatch),
        ] {
            var dialler = dialler()
            var acceptor = acceptor(proof: proof)
            _ = acceptor.begin()
            #expect(acceptor.received(try #require(hello(&dialler))) == .refuse(refusal))
        }
        // The dialler looks before it says anything.
        for (proof, refusal) in [
            (Proof.missing, LinkRefusal.certificateMissing), (proof(2, isMember: false), .certificateRefused),
            (proof(1), .certificateMismatch),
        ] {
            var dialler = dialler(proof: proof)
            #expect(dialler.begin() == .refuse(refusal))
        }
        var good = dialler(proof: proof(2))
        #expect(hello(&good) != nil)
    }

    @Test func framesOutOfTurnEndIt() throws {
        let early: [LinkFrame] = [.ready, .data([1]), .ping(1), .pong(1), .credit(1)]
        for frame in early {
            var acceptor = acceptor()
            _ = acceptor.begin()
            #expect(acceptor.received(frame) == .refuse(.malformed("frame out of turn")))
            var dialler = dialler()
            _ = dialler.begin()
            #expect(dialler.received(frame) == .refuse(.malformed("frame out of turn")))
        }
        var (one, two) = (dialler(), acceptor())
        _ = two.begin()
        let greeting = try #require(hello(&one))
        _ = two.received(greeting)
        #expect(two.received(greeting) == .refuse(.malformed("frame out of turn")))
        #expect(two.decided(link: 1) == .none)
    }
}
