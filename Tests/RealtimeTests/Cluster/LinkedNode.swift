import FluxCore
import FluxSecurity
import FluxStore
import FluxTestSupport
import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import FluxCluster
@testable import FluxRealtime

/// A whole engine that takes part in a cluster: links over TCP with certificates, a real Postgres, real lanes.
final class LinkedNode: Sendable {
    let node: TestNode
    let transport: LinkTransport
    let cluster: ClusterNode
    private let leases: Database
    private let superseded: NIOLockedValueBox<Bool>

    var id: NodeID { node.id }
    /// Whether it was told that its process has to end.
    var wasSuperseded: Bool { superseded.withLockedValue { $0 } }

    private init(
        node: TestNode, transport: LinkTransport, cluster: ClusterNode, leases: Database,
        superseded: NIOLockedValueBox<Bool>
    ) {
        self.node = node
        self.transport = transport
        self.cluster = cluster
        self.leases = leases
        self.superseded = superseded
    }

    /// Starts a node and lets it take part.
    static func start(
        number: UInt16, url: String, authority: TestAuthority, dialect: WireDialect? = nil,
        calls: CallLimits = CallLimits()
    ) async throws -> LinkedNode {
        let watch = LinkWatch()
        var transport: LinkTransport?
        let node = try await TestNode.start(number: number, loops: 2, url: url, limits: SessionLimits(), calls: calls) {
            identity, group in
            var configuration = LinkConfiguration(
                cluster: authority.cluster, security: .certificates(try authority.credentials(of: identity.id)),
                listen: PeerAddress(host: "127.0.0.1", port: 0))
            configuration.onEvent = watch.tell
            configuration.dialect = dialect ?? .ofTestNode(Int(number))
            configuration.logger = TestDatabase.silence
            let made = LinkTransport(configuration, identity: identity, group: group)
            transport = made
            return made
        }
        let links = try #require(transport)
        let leases = try Database(
            configuration: DatabaseConfiguration(url: url, applicationName: "flux/leases", connections: 2),
            logger: TestDatabase.silence)
        var foundations = ClusterFoundations(
            realtime: node.realtime, heartbeats: node.control, leases: leases, logger: logger(number))
        foundations.links = links
        foundations.watch = watch
        let superseded = NIOLockedValueBox(false)
        foundations.events.superseded = { superseded.withLockedValue { $0 = true } }
        let cluster = ClusterNode(foundations)
        try await node.realtime.start(slots: [])
        links.accept(only: authority.fingerprints)
        let port = UInt16(try #require(try await links.start().port))
        try await cluster.start(address: "127.0.0.1:\(port)")
        return LinkedNode(node: node, transport: links, cluster: cluster, leases: leases, superseded: superseded)
    }

    /// Silent, unless `FLUX_TEST_LOG` is set: then one can read why slots moved.
    private static func logger(_ number: UInt16) -> Logger {
        let isWanted = ProcessInfo.processInfo.environment["FLUX_TEST_LOG"] != nil
        return isWanted ? Logger(label: "cluster-\(number)") : TestDatabase.silence
    }

    /// Ends its links and its heartbeats as the kernel does for a process that was killed. What it still believes and does
    /// goes on: nobody may notice.
    func kill() async {
        await transport.abort()
        await cluster.stop()
    }

    /// Ends in good order.
    func stop() async {
        await cluster.handSlotsOver(atMost: .seconds(60))
        await node.realtime.drainSessions()
        await cluster.handSessionsOver()
        await node.realtime.stop()
        await cluster.leave()
        await transport.stop()
    }

    /// Frees what is left of it.
    func close() async {
        await cluster.stop()
        await transport.stop()
        await leases.close()
        await node.stop()
    }
}

/// Three such nodes, or more, over one database.
final class LinkedCluster: Sendable {
    let authority: TestAuthority
    let url: String
    let nodes: [LinkedNode]

    private init(authority: TestAuthority, url: String, nodes: [LinkedNode]) {
        self.authority = authority
        self.url = url
        self.nodes = nodes
    }

    /// Runs a test against new nodes with the numbers 1, 2 … which have shared the slots out.
    static func run<Value: Sendable>(
        nodes count: Int = 3, dialects: [WireDialect]? = nil, calls: CallLimits = CallLimits(),
        _ test: (LinkedCluster) async throws -> Value
    ) async throws -> Value {
        let url = try await TestPostgres.shared.database().url
        let authority = try TestAuthority()
        var nodes: [LinkedNode] = []
        let result: Result<Value, any Error>
        do {
            for number in 1...count {
                nodes.append(
                    try await LinkedNode.start(
                        number: UInt16(number), url: url, authority: authority, dialect: dialects?[number - 1],
                        calls: calls))
            }
            let cluster = LinkedCluster(authority: authority, url: url, nodes: nodes)
            try await cluster.untilSharedOut(among: nodes)
            result = .success(try await test(cluster))
        } catch {
            result = .failure(error)
        }
        for node in nodes { await node.close() }
        return try result.get()
    }

    /// Waits until these nodes own all slots, each its share, and each knows where all slots are.
    func untilSharedOut(among nodes: [LinkedNode], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let rendezvous = Rendezvous(nodes.map { .init(node: $0.id) })
        try await eventually("the slots are shared out", sourceLocation: sourceLocation) {
            nodes.allSatisfy { node in
                Slot.all.allSatisfy { node.node.system.assignment(of: $0).node == rendezvous.owner(of: $0) }
            }
        }
    }

    /// The node that owns a slot, as the first one knows.
    func owner(of slot: Slot) throws -> LinkedNode {
        let owner = nodes[0].node.system.assignment(of: slot).node
        return try #require(nodes.first { $0.id == owner })
    }

    /// Somebody who lives on the node.
    func person(on home: LinkedNode) async throws -> Caller {
        while true {
            let person = try await home.node.person("person\(try home.node.realtime.mintID())")
            if home.node.system.owns(Slot(of: person.userID)) { return person }
        }
    }

    /// The last committed number of each channel.
    func heads(of channels: [ChannelID]) async throws -> [ChannelID: Int] {
        var heads: [ChannelID: Int] = [:]
        for channel in channels {
            let stored = try await Channels(nodes[0].node.database).activation(of: channel, noncesSince: Snowflake(0))
            heads[channel] = Int(try #require(stored).head.seq)
        }
        return heads
    }

    /// All messages that are stored of a channel, oldest first, as the last node reads them.
    func contents(of channel: ChannelID, in guild: GuildID) async throws -> [String] {
        let messages = Messages(try #require(nodes.last).node.database)
        var (contents, cursor): ([String], Snowflake) = ([], Snowflake(0))
        while true {
            let page = try await messages.history(
                .after(cursor), in: channel, guildID: guild, limit: Messages.pageLimit)
            guard let newest = page.map(\.id).max() else { return contents }
            contents += page.sorted { $0.id < $1.id }.map(\.content)
            cursor = newest
        }
    }

    /// A guild that lives on the node, and its owner, who lives elsewhere.
    func guild(on home: LinkedNode) async throws -> (owner: Caller, id: GuildID, channel: ChannelID) {
        while true {
            let owner = try await home.node.person("owner\(try home.node.realtime.mintID())")
            let guild = try await home.node.guild(of: owner)
            guard home.node.system.owns(Slot(of: guild.id)), !home.node.system.owns(Slot(of: owner.userID)) else {
                continue
            }
            return (owner, guild.id, guild.channel)
        }
    }
}

/// The authority of a test's cluster, and the certificates of its nodes 1 to 8.
final class TestAuthority: Sendable {
    let cluster = ClusterID.random()
    private let authority: CertificateAuthority
    private let identities: [NodeID: TLSIdentity]
    /// The members' certificates.
    let fingerprints: Set<CertificateFingerprint>

    init() throws {
        authority = try NodeCertificate.authority(of: cluster, at: .now())
        var (identities, fingerprints): ([NodeID: TLSIdentity], Set<CertificateFingerprint>) = ([:], [])
        for node in (1...8).compactMap({ NodeID(rawValue: $0) }) {
            let what = NodeCertificate(cluster: cluster, node: node.rawValue)
            let identity = try authority.issue(what.request(name: "node-\(node)", at: .now()))
            identities[node] = identity
            fingerprints.insert(try #require(CertificateFingerprint(bytes: try identity.fingerprint())))
        }
        (self.identities, self.fingerprints) = (identities, fingerprints)
    }

    /// Those of all but one.
    func fingerprints(except node: NodeID) throws -> Set<CertificateFingerprint> {
        let revoked = CertificateFingerprint(bytes: try #require(identities[node]).fingerprint())
        return fingerprints.filter { $0 != revoked }
    }

    func credentials(of node: NodeID) throws -> ClusterCredentials {
        try ClusterCredentials(
            authorityPEM: authority.identity.certificateChainPEM, identity: try #require(identities[node]))
    }
}

func eventually(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(60)
    while clock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record(what, sourceLocation: sourceLocation)
}
