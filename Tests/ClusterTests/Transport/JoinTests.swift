import FluxCore
import FluxFuzzing
import FluxSecurity
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import FluxCluster

/// Joining over real sockets. The store keeps the contract of `JoinStore` in memory.
@Suite(.timeLimit(FuzzBudget.timeLimit)) struct JoinTests {
    private final class MemoryStore: JoinStore {
        struct State {
            var tokens: [[UInt8]: (expired: Bool, usedBy: JoinApplicant?, node: NodeID?)] = [:]
            var names: Set<String> = []
            var fingerprints: Set<CertificateFingerprint> = []
            var outage: String?
            var nextNode: UInt16 = 2
        }

        let state = NIOLockedValueBox(State())

        func admit(
            _ applicant: JoinApplicant,
            certify: @escaping @Sendable (NodeID) throws(JoinRefusal) -> CertificateFingerprint
        ) async throws(JoinRefusal) -> JoinAdmission {
            let result = state.withLockedValue { state -> Result<JoinAdmission, JoinRefusal> in
                do throws(JoinRefusal) {
                    if let outage = state.outage { throw .unavailable(outage) }
                    guard let token = state.tokens[applicant.tokenHash] else { throw .wrongToken }
                    let node: NodeID
                    if let user = token.usedBy, let used = token.node {
                        guard user.name == applicant.name, user.keyFingerprint == applicant.keyFingerprint else {
                            throw .usedToken
                        }
                        node = used
                    } else {
                        guard !token.expired else { throw .expiredToken }
                        guard !state.names.contains(applicant.name) else { throw .nameTaken }
                        guard let free = NodeID(rawValue: state.nextNode) else { throw .full }
                        node = free
                    }
                    let fingerprint = try certify(node)
                    state.fingerprints.insert(fingerprint)
                    state.names.insert(applicant.name)
                    state.tokens[applicant.tokenHash] = (token.expired, applicant, node)
                    if token.node == nil { state.nextNode += 1 }
                    return .success(
                        JoinAdmission(
                            node: node,
                            members: [
                                JoinMember(
                                    name: "first", node: NodeID(rawValue: 1)!,
                                    address: PeerAddress(host: "127.0.0.1", port: 7400))
                            ], databaseURL: "postgres://flux:secret@db/flux"))
                } catch {
                    return .failure(error)
                }
            }
            return try result.get()
        }
    }

    private let authority: TestAuthority
    private let store = MemoryStore()

    init() throws {
        authority = try TestAuthority()
    }

    private func member(takesJoins: Bool = true) async throws -> LinkNode {
        let (credentials, fingerprint) = try authority.credentials(of: NodeID(rawValue: 1)!)
        let desk = JoinDesk(cluster: authority.cluster, authority: authority.authority, store: store)
        return try await LinkNode(
            1, cluster: authority.cluster, security: .certificates(credentials), accepting: [fingerprint]
        ) { $0.joinDesk = takesJoins ? desk : nil }
    }

    private func token(expired: Bool = false) throws -> JoinToken {
        let fingerprint = try #require(CertificateFingerprint(bytes: authority.authority.fingerprint))
        let token = JoinToken.mint(cluster: authority.cluster, authority: fingerprint)
        store.state.withLockedValue { $0.tokens[token.secretHash] = (expired, nil, nil) }
        return token
    }

    private func client(_ token: JoinToken, name: String = "second") throws -> JoinClient {
        let (_, key) = try CertificateSigningRequest.generate()
        return JoinClient(
            token: token, name: name, address: PeerAddress(host: "127.0.0.1", port: 7401), privateKeyPEM: key)
    }

    private func join(_ client: JoinClient, at node: LinkNode) async throws -> JoinedNode {
        try await client.join(at: node.address, on: MultiThreadedEventLoopGroup.singleton.next())
    }

    private func expectRefusal(_ refusal: JoinRefusal, _ client: JoinClient, at node: LinkNode) async {
        await #expect(
            performing: { _ = try await join(client, at: node) },
            throws: { error in
                if case JoinError.refused(refusal) = error { true } else { false }
            })
    }

    @Test func whoJoinsIsAMember() async throws {
        let first = try await member()
        let client = try client(try token())
        let joined = try await join(client, at: first)
        #expect(joined.grant.node == NodeID(rawValue: 2))
        #expect(joined.grant.members.map(\.name) == ["first"])
        #expect(joined.grant.databaseURL == "postgres://flux:secret@db/flux")
        #expect(joined.authority.fingerprint == authority.authority.fingerprint)

        // With what it got it links, and can let others in itself.
        let credentials = try ClusterCredentials(
            authorityPEM: joined.authority.identity.certificateChainPEM, identity: joined.identity)
        let members = authority.fingerprints.union(store.state.withLockedValue { $0.fingerprints })
        first.transport.accept(only: members)
        let desk = JoinDesk(cluster: authority.cluster, authority: joined.authority, store: store)
        let second = try await LinkNode(
            2, cluster: authority.cluster, security: .certificates(credentials), accepting: members
        ) { $0.joinDesk = desk }
        second.link(to: first)
        try await untilLinked(first, second)
        let third = try await join(try self.client(try token(), name: "third"), at: second)
        #expect(third.grant.node == NodeID(rawValue: 3))
        await first.stop()
        await second.stop()
    }

    @Test func aLostAnswerIsGivenAgainToTheSameNodeOnly() async throws {
        let first = try await member()
        let token = try token()
        let client = try client(token)
        let once = try await join(client, at: first)
        let again = try await join(client, at: first)
        #expect(once.grant.node == again.grant.node)
        await expectRefusal(.usedToken, try self.client(token), at: first)
        var renamed = client
        renamed.name = "other"
        await expectRefusal(.usedToken, renamed, at: first)
        await first.stop()
    }

    @Test func everyRefusalIsExact() async throws {
        let first = try await member()
        await expectRefusal(.expiredToken, try client(try token(expired: true)), at: first)
        let fingerprint = try #require(CertificateFingerprint(bytes: authority.authority.fingerprint))
        let invented = JoinToken.mint(cluster: authority.cluster, authority: fingerprint)
        await expectRefusal(.wrongToken, try client(invented), at: first)
        let elsewhere = JoinToken.mint(cluster: .random(), authority: fingerprint)
        await expectRefusal(.wrongCluster, try client(elsewhere), at: first)
        for name in ["", "-x", "Über", "a b", String(repeating: "a", count: 64), "UPPER", "x.y"] {
            await expectRefusal(.badName, try client(try token(), name: name), at: first)
        }
        var old = try client(try token())
        old.dialect = WireDialect(
            versions: WireVersionRange(oldest: .init(rawValue: 90), current: .init(rawValue: 91)))
        await #expect(
            performing: { _ = try await join(old, at: first) },
            throws: { error in
                if case JoinError.noCommonVersion(.own, old.dialect.versions) = error { true } else { false }
            })
        _ = try await join(try client(try token(), name: "taken"), at: first)
        await expectRefusal(.nameTaken, try client(try token(), name: "taken"), at: first)
        store.state.withLockedValue { $0.outage = "Postgres cannot be reached" }
        await expectRefusal(.unavailable("Postgres cannot be reached"), try client(try token()), at: first)
        await first.stop()
        // Nobody was let in by any of these but the one.
        #expect(store.state.withLockedValue { $0.names } == ["taken"])
        let closed = try await member(takesJoins: false)
        await expectRefusal(.notAccepting, try client(try token()), at: closed)
        await closed.stop()
    }

    @Test func theSecretIsNotShownToAnotherCluster() async throws {
        let foreigner = try TestAuthority(cluster: authority.cluster)
        let (credentials, _) = try foreigner.credentials(of: NodeID(rawValue: 1)!)
        let spy = MemoryStore()
        let node = try await LinkNode(1, cluster: authority.cluster, security: .certificates(credentials)) {
            $0.joinDesk = JoinDesk(cluster: authority.cluster, authority: foreigner.authority, store: spy)
        }
        await #expect(
            performing: { _ = try await join(try client(try token()), at: node) },
            throws: { error in
                if case JoinError.notTheCluster = error { true } else { false }
            })
        await node.stop()
        // A node with a certificate of its own making that also sends the right authority's certificate proves nothing.
        let mixed = try ClusterCredentials(
            authorityPEM: authority.authority.identity.certificateChainPEM,
            identity: try foreigner.identity(of: NodeID(rawValue: 1)!).identity)
        let impostor = try await LinkNode(1, cluster: authority.cluster, security: .certificates(mixed))
        await #expect(
            performing: { _ = try await join(try client(try token()), at: impostor) },
            throws: { error in
                if case JoinError.notTheCluster = error { true } else { false }
            })
        await impostor.stop()
        await #expect(
            performing: { _ = try await join(try client(try token()), at: impostor) },
            throws: { error in
                if case JoinError.unreachable = error { true } else { false }
            })
    }

    @Test func requestsThatCannotBeReadAreRefused() async throws {
        let first = try await member()
        var configuration = TLSConfiguration(role: .client())
        configuration.pinnedAuthority = authority.authority.fingerprint
        let tls = try TLSContext(configuration)
        let (signingRequest, _) = try CertificateSigningRequest.generate()
        let good = JoinRequest(
            versions: .own, cluster: authority.cluster, secret: try token().secret, name: "second",
            address: PeerAddress(host: "127.0.0.1", port: 1), signingRequest: signingRequest.bytes
        ).encoded()
        var random = SeededGenerator(seed: 4)
        for _ in 0..<100 {
            var bytes = good
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << Int.random(in: 0..<8, using: &random)
            bytes.removeLast(Int.random(in: 0...2, using: &random))
            var buffer = ByteBuffer(bytes: ConnectionMode.join.preamble)
            RawFrame(kind: JoinRequest.frameKind, body: bytes).encode(into: &buffer)
            let peer = try await RawPeer(port: first.port, tls: tls)
            peer.say(Array(buffer.readableBytesView))
            try await eventually("it is answered and closed") { peer.isClosed && peer.heard.count > 5 }
        }
        try await eventually("nothing is left") { first.transport.connectionCounts == (0, 0) }
        await first.stop()
    }

    @Test func messagesAreReadOrRefused() throws {
        let (signingRequest, _) = try CertificateSigningRequest.generate()
        let address = PeerAddress(host: "127.0.0.1", port: 1)
        let request = JoinRequest(
            versions: .own, cluster: authority.cluster, secret: [1, 2], name: "n", address: address,
            signingRequest: signingRequest.bytes)
        let grant = JoinGrant(
            node: NodeID(rawValue: 3)!, certificateChainPEM: [1], authorityCertificatePEM: [2], authorityKeyPEM: [3],
            members: [JoinMember(name: "a", node: NodeID(rawValue: 1)!, address: address)], databaseURL: "x")
        #expect(try JoinRequest(decoding: request.encoded()) == request)
        #expect(try JoinGrant(decoding: grant.encoded()) == grant)
        let refusals: [JoinRefusal] = [
            .malformed, .version(.own), .wrongCluster, .wrongToken, .usedToken, .expiredToken, .nameTaken, .badName,
            .full,
            .unavailable("x"), .notAccepting, .other(99),
        ]
        for refusal in refusals { #expect(try JoinRefusal(decoding: refusal.encoded()) == refusal) }
        var random = SeededGenerator(seed: 6)
        var refused = 0
        for _ in 0..<FuzzBudget.inputs {
            var bytes =
                [request.encoded(), grant.encoded(), JoinRefusal.version(.own).encoded()].randomElement(
                    using: &random) ?? []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            do {
                _ = try JoinRequest(decoding: bytes)
                _ = try JoinGrant(decoding: bytes)
                _ = try JoinRefusal(decoding: bytes)
            } catch {
                refused += 1
            }
        }
        #expect(refused > FuzzBudget.inputs / 4)
    }
}
