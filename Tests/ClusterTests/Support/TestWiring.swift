import FluxCore
import FluxSecurity
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

@testable import FluxCluster

/// What the nodes of a test are connected by.
enum TestWiring: CaseIterable, Sendable {
    /// Calls within the process.
    case local
    /// Sockets on loopback.
    case plaintext
    /// Sockets on loopback with certificates.
    case secured

    func wires(nodes count: Int) throws -> any TestWires {
        switch self {
        case .local: LocalWires()
        case .plaintext: TCPWires(authority: nil)
        case .secured: TCPWires(authority: try TestAuthority())
        }
    }
}

/// The connections of a test's nodes.
protocol TestWires: Sendable {
    func transport(of identity: NodeIdentity, _ dialect: WireDialect, on group: any EventLoopGroup) -> any Transport
    /// All transports are attached: links them, and waits for that.
    func connect() async throws
    func cut(_ first: NodeID, _ second: NodeID) async throws
    func heal(_ first: NodeID, _ second: NodeID) async throws
    func stop() async
}

private struct LocalWires: TestWires {
    let network = LocalNetwork()

    func transport(of identity: NodeIdentity, _ dialect: WireDialect, on group: any EventLoopGroup) -> any Transport {
        network.transport(of: identity.id, dialect: dialect)
    }

    func connect() async throws {}
    func cut(_ first: NodeID, _ second: NodeID) async throws { network.cut(first, second) }
    func heal(_ first: NodeID, _ second: NodeID) async throws { network.heal(first, second) }
    func stop() async {}
}

/// Every node reaches every other one through a proxy of its own, so that each way can be cut.
private final class TCPWires: TestWires {
    private struct State {
        var transports: [NodeID: LinkTransport] = [:]
        var proxies: [Pair: TestProxy] = [:]
    }

    private struct Pair: Hashable {
        let dialler: NodeID
        let target: NodeID
    }

    private let authority: TestAuthority?
    private let cluster: ClusterID
    private let state = NIOLockedValueBox(State())

    init(authority: TestAuthority?) {
        self.authority = authority
        cluster = authority?.cluster ?? .random()
    }

    func transport(of identity: NodeIdentity, _ dialect: WireDialect, on group: any EventLoopGroup) -> any Transport {
        let security: LinkSecurity =
            if let authority {
                .certificates(try! authority.credentials(of: identity.id).credentials)
            } else {
                .plaintextOnLoopback
            }
        var configuration = LinkConfiguration.test(cluster, security)
        configuration.dialect = dialect
        let transport = LinkTransport(configuration, identity: identity, group: group)
        state.withLockedValue { $0.transports[identity.id] = transport }
        return transport
    }

    func connect() async throws {
        let transports = state.withLockedValue { $0.transports }
        var ports: [NodeID: Int] = [:]
        for (node, transport) in transports {
            ports[node] = try await transport.start().port
            if let authority { transport.accept(only: authority.fingerprints) }
        }
        for (node, transport) in transports {
            var addresses: [NodeID: PeerAddress] = [:]
            for target in transports.keys where target != node {
                let proxy = try await TestProxy(target: try #require(ports[target]))
                state.withLockedValue { $0.proxies[Pair(dialler: node, target: target)] = proxy }
                addresses[target] = PeerAddress(host: "127.0.0.1", port: UInt16(proxy.port))
            }
            transport.link(to: addresses)
        }
        for node in transports.keys {
            for target in transports.keys where target != node {
                try await untilLinked(node, target, true)
            }
        }
    }

    func cut(_ first: NodeID, _ second: NodeID) async throws {
        for proxy in proxies(first, second) { proxy.cut() }
        try await untilLinked(first, second, false)
        try await untilLinked(second, first, false)
    }

    func heal(_ first: NodeID, _ second: NodeID) async throws {
        for proxy in proxies(first, second) { proxy.heal() }
        try await untilLinked(first, second, true)
        try await untilLinked(second, first, true)
    }

    func stop() async {
        for transport in state.withLockedValue({ $0.transports.values }) { await transport.stop() }
        for proxy in state.withLockedValue({ $0.proxies.values }) { await proxy.stop() }
    }

    private func proxies(_ first: NodeID, _ second: NodeID) -> [TestProxy] {
        state.withLockedValue { state in
            [Pair(dialler: first, target: second), Pair(dialler: second, target: first)].compactMap {
                state.proxies[$0]
            }
        }
    }

    private func untilLinked(_ node: NodeID, _ target: NodeID, _ isLinked: Bool) async throws {
        let transport = try #require(state.withLockedValue { $0.transports[node] })
        try await eventually("node \(node) \(isLinked ? "has" : "loses") its link to \(target)") {
            (transport.version(of: target) != nil) == isLinked
        }
    }
}

extension LinkConfiguration {
    /// A node on a free port of the loopback that dials again soon.
    static func test(_ cluster: ClusterID, _ security: LinkSecurity) -> LinkConfiguration {
        var configuration = LinkConfiguration(
            cluster: cluster, security: security, listen: PeerAddress(host: "127.0.0.1", port: 0))
        configuration.limits.backoff = LinkBackoff(first: .milliseconds(5), longest: .milliseconds(100))
        // A loaded machine must not look like a dead one.
        configuration.limits.silence = .seconds(30)
        configuration.limits.handshakeTime = .seconds(30)
        configuration.limits.connectTime = .seconds(20)
        return configuration
    }
}

/// The authority of a test's cluster, and the certificates it gave.
final class TestAuthority: Sendable {
    let cluster: ClusterID
    let authority: CertificateAuthority
    private let issued = NIOLockedValueBox<Set<CertificateFingerprint>>([])

    init(cluster: ClusterID = .random()) throws {
        self.cluster = cluster
        authority = try NodeCertificate.authority(of: cluster, at: .now())
    }

    /// Every certificate that was given.
    var fingerprints: Set<CertificateFingerprint> { issued.withLockedValue { $0 } }

    func identity(of node: NodeID) throws -> (identity: TLSIdentity, fingerprint: CertificateFingerprint) {
        let request = NodeCertificate(cluster: cluster, node: node.rawValue).request(name: "node-\(node)", at: .now())
        let identity = try authority.issue(request)
        let fingerprint = try #require(CertificateFingerprint(bytes: try identity.fingerprint()))
        issued.withLockedValue { _ = $0.insert(fingerprint) }
        return (identity, fingerprint)
    }

    func credentials(
        of node: NodeID
    ) throws -> (credentials: ClusterCredentials, fingerprint: CertificateFingerprint) {
        let (identity, fingerprint) = try identity(of: node)
        let credentials = try ClusterCredentials(
            authorityPEM: authority.identity.certificateChainPEM, identity: identity)
        return (credentials, fingerprint)
    }
}
