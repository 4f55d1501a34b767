import FluxCore
import FluxSecurity
import NIOCore
import Testing

@testable import FluxCluster

/// Links with certificates: who is let in, and who no longer.
@Suite(.timeLimit(.minutes(3))) struct LinkSecurityTests {
    private let authority: TestAuthority

    init() throws {
        authority = try TestAuthority()
    }

    private func node(
        _ number: UInt16, certificateOf other: UInt16? = nil, from issuer: TestAuthority? = nil
    ) async throws -> (node: LinkNode, fingerprint: CertificateFingerprint, credentials: ClusterCredentials) {
        let issuer = issuer ?? authority
        let (credentials, fingerprint) = try issuer.credentials(of: NodeID(rawValue: other ?? number)!)
        let node = try await LinkNode(number, cluster: authority.cluster, security: .certificates(credentials))
        return (node, fingerprint, credentials)
    }

    @Test func membersLinkAndTheRevokedAreCutOff() async throws {
        let (one, firstPrint, _) = try await node(1)
        let (two, secondPrint, _) = try await node(2)
        let (three, thirdPrint, _) = try await node(3)
        let all: Set = [firstPrint, secondPrint, thirdPrint]
        for node in [one, two, three] { node.transport.accept(only: all) }
        one.link(to: two, three)
        try await untilLinked(one, two)
        try await untilLinked(one, three)
        #expect(one.send([UInt8](repeating: 1, count: 100_000), to: two, over: .bulk))
        try await eventually("frames pass") { two.recorder.frames.count == 1 }

        one.transport.accept(only: [firstPrint, secondPrint])
        try await eventually("the revoked is cut off, and told") {
            three.wasRefused(by: one, .certificateRefused) && one.recorder.entries.contains(.lost(three.id))
        }
        #expect(!one.isLinked(to: three))
        // It comes back by itself, and is refused.
        three.link(to: one)
        try await eventually("it is not let in") { !three.isLinked(to: one) && three.recorder.losses == 1 }
        #expect(one.isLinked(to: two))
        #expect(one.ups == 2)
        // Let in again, without a restart.
        one.transport.accept(only: all)
        try await untilLinked(one, three)
        for node in [one, two, three] { await node.stop() }
        #expect(one.transport.connectionCounts == (0, 0))
    }

    @Test func aForeignCertificateIsRefused() async throws {
        let (one, fingerprint, _) = try await node(1)
        let foreigner = try TestAuthority(cluster: authority.cluster)
        let (two, foreignPrint, _) = try await node(2, from: foreigner)
        for node in [one, two] { node.transport.accept(only: [fingerprint, foreignPrint]) }
        // Whoever dials, neither believes the other.
        two.link(to: one)
        try await eventually("the foreigner cannot link") { two.failedToReach(one) && one.refused(.insecure) }
        one.link(to: two)
        try await eventually("nor be linked to") { one.failedToReach(two) && two.refused(.insecure) }
        #expect(one.ups == 0 && two.ups == 0)
        await one.stop()
        await two.stop()
    }

    @Test func anothersCertificateIsRefused() async throws {
        let (one, firstPrint, _) = try await node(1)
        let (impostor, secondPrint, _) = try await node(2, certificateOf: 3)
        for node in [one, impostor] { node.transport.accept(only: [firstPrint, secondPrint]) }
        impostor.link(to: one)
        try await eventually("it is refused as a dialler") { impostor.wasRefused(by: one, .certificateMismatch) }
        one.link(to: impostor)
        try await eventually("and as an acceptor") {
            one.refused(.certificateMismatch) && impostor.wasRefused(by: one, .certificateMismatch)
        }
        #expect(one.ups == 0)
        await one.stop()
        await impostor.stop()
    }

    @Test func nobodyIsLetInBeforeTheMembersAreKnown() async throws {
        let (one, firstPrint, _) = try await node(1)
        let (two, secondPrint, _) = try await node(2)
        two.transport.accept(only: [firstPrint, secondPrint])
        two.link(to: one)
        try await eventually("it is refused") { two.wasRefused(by: one, .certificateRefused) }
        one.transport.accept(only: [firstPrint, secondPrint])
        try await untilLinked(one, two)
        await one.stop()
        await two.stop()
    }

    @Test func aRenewedCertificateTakesTheOldOnesPlace() async throws {
        let (one, firstPrint, credentials) = try await node(1)
        let (two, secondPrint, _) = try await node(2)
        let (renewed, renewedPrint) = try authority.identity(of: one.id)
        for node in [one, two] { node.transport.accept(only: [firstPrint, secondPrint, renewedPrint]) }
        one.link(to: two)
        try await untilLinked(one, two)
        try credentials.renew(renewed)
        #expect(one.recorder.losses == 0)
        two.transport.accept(only: [secondPrint, renewedPrint])
        try await eventually("the old link ends, a new one is made") { two.recorder.losses == 1 && two.ups == 2 }
        try await untilLinked(one, two)
        await one.stop()
        await two.stop()
    }

    @Test func whoShowsNoCertificateHearsWhy() async throws {
        let (one, fingerprint, _) = try await node(1)
        one.transport.accept(only: [fingerprint])
        var configuration = TLSConfiguration(
            role: .client(authoritiesPEM: authority.authority.identity.certificateChainPEM))
        configuration.minimumVersion = .tls13
        let peer = try await RawPeer(port: one.port, tls: try TLSContext(configuration))
        var buffer = ByteBuffer(bytes: ConnectionMode.link.preamble)
        LinkFrame.hello(
            LinkHello(
                versions: .own, cluster: authority.cluster,
                identity: NodeIdentity(name: "x", id: NodeID(rawValue: 2)!, incarnation: 1), target: one.id,
                lane: .control, link: nil, window: 1)
        ).encode(into: &buffer)
        peer.say(Array(buffer.readableBytesView))
        try await eventually("it is closed") { peer.isClosed }
        #expect(peer.frames == [.refusal(.certificateMissing)])
        // And who does not even speak TLS.
        let plain = try await RawPeer(port: one.port)
        plain.say(Array(buffer.readableBytesView))
        try await eventually("it is closed") { plain.isClosed }
        try await eventually("nothing is left") { one.transport.connectionCounts == (0, 0) }
        await one.stop()
    }

    @Test func certificatesNameTheirNode() throws {
        let what = NodeCertificate(cluster: authority.cluster, node: 17)
        #expect(NodeCertificate(hostNames: ["example.org", what.hostName]) == what)
        #expect(NodeCertificate(hostNames: [what.hostName, what.hostName]) == nil)
        for name in [
            "node-17.flux", "node-017.\(authority.cluster).flux", "node-+17.\(authority.cluster).flux",
            "node-70000.\(authority.cluster).flux", "node-17.\(authority.cluster).flux.", "", "node-17.zz.flux",
        ] {
            #expect(NodeCertificate(hostNames: [name]) == nil, "\(name)")
        }
        let (identity, _) = try authority.identity(of: NodeID(rawValue: 17)!)
        #expect(try identity.nodeCertificate() == what)
        let validity = try identity.validity()
        let renewal = NodeCertificate.renewal(from: validity.from, until: validity.until, jitter: 0.5)
        #expect(renewal > validity.from && renewal < validity.until)
        let earliest = NodeCertificate.renewal(from: validity.from, until: validity.until, jitter: 1)
        let latest = NodeCertificate.renewal(from: validity.from, until: validity.until, jitter: 0)
        #expect(earliest < renewal && renewal < latest)
        // A month is left even then.
        #expect(latest.adding(seconds: 28 * 86400) < validity.until)
    }
}
