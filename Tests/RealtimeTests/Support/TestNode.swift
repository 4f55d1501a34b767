import FluxCluster
import FluxCore
import FluxStore
import FluxTestSupport
import Foundation
import Logging
import NIOCore
import NIOPosix
import Testing

@testable import FluxRealtime

/// One engine over a database of its own: real lanes, real leases, no sockets.
final class TestNode: Sendable {
    let realtime: Realtime
    let system: ClusterActorSystem
    let mesh: LoopMesh
    let database: Database
    let url: String
    let control: Database
    private let group: MultiThreadedEventLoopGroup

    private init(
        realtime: Realtime, system: ClusterActorSystem, mesh: LoopMesh, database: Database, control: Database,
        group: MultiThreadedEventLoopGroup,
        url: String
    ) {
        self.realtime = realtime
        self.system = system
        self.mesh = mesh
        self.database = database
        self.control = control
        self.group = group
        self.url = url
    }

    /// Runs a test against a new node, or against a later incarnation on the database at `url`. With `FLUX_TEST_NODES=3` in
    /// the environment the slots are spread over so many nodes, which no test may notice: the cluster is transparent.
    static func run<Value: Sendable>(
        loops: Int = 2, url given: String? = nil, limits: SessionLimits = SessionLimits(),
        laneLimits: LaneLimits = LaneLimits(), _ test: (TestNode) async throws -> Value
    ) async throws -> Value {
        try await TestCluster.run(
            nodes: TestCluster.defaultCount, loops: loops, url: given, limits: limits, laneLimits: laneLimits
        ) { cluster in
            try await test(cluster.nodes[0])
        }
    }

    /// Starts a node that owns nothing yet.
    static func start(
        number: UInt16 = 1, loops: Int, url: String, limits: SessionLimits, laneLimits: LaneLimits = LaneLimits(),
        calls: CallLimits = CallLimits(),
        transport: (FluxCluster.NodeIdentity, any EventLoopGroup) throws -> any Transport
    ) async throws -> TestNode {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let mesh = LoopMesh(group: group)
        let logger = TestDatabase.silence
        let control = try Database(
            configuration: DatabaseConfiguration(url: url, applicationName: "flux/control", connections: 1),
            logger: logger)
        let registration = try await LeaseStore(control).register(
            node: number, name: "test-\(number)", lanes: 2, at: .now())
        let configuration = DatabaseConfiguration(
            url: url, applicationName: registration.identity.applicationName("query"), connections: 4)
        let database = try Database(configuration: configuration, logger: logger)
        let id = NodeID(rawValue: registration.identity.node)!
        let identity = FluxCluster.NodeIdentity(
            name: "test-\(number)", id: id, incarnation: registration.identity.incarnation)
        let system = ClusterActorSystem(
            identity: identity, mesh: mesh, transport: try transport(identity, group),
            leases: StoredLeases(store: LeaseStore(control)), limits: calls)
        var settings = EngineSettings(mediaBase: "http://flux.test", gatewayURL: "ws://flux.test/")
        // A loaded machine must not look like a lender that is not there.
        settings.lenderPatience = 30_000
        let realtime = try Realtime(
            on: Realtime.Foundations(
                system: system, mesh: mesh, database: database,
                identifiers: IdentifierSource(
                    SnowflakeMinter(
                        node: registration.identity.node, floorMilliseconds: registration.idFloorMilliseconds,
                        highWaterMilliseconds: registration.idHighWaterMilliseconds)),
                logger: logger),
            limits: limits,
            settings: settings,
            makeLanes: { outcomes in
                try LanePool(
                    configuration: configuration, identity: registration.identity, lanes: 2, limits: laneLimits,
                    logger: logger, onOutcomes: outcomes)
            })
        return TestNode(
            realtime: realtime, system: system, mesh: mesh, database: database, control: control, group: group,
            url: url)
    }

    func stop() async {
        await realtime.stop()
        await database.close()
        await control.close()
        try? await group.shutdownGracefully()
    }

    var id: NodeID { system.identity.id }

    // MARK: People and places

    func person(_ name: String) async throws -> Caller {
        let id = try realtime.mintID()
        try await Accounts(database).register(User(id: id, username: name), passwordHash: "-")
        return Caller(userID: id, isBot: false)
    }

    /// A guild of its owner with one channel.
    func guild(of owner: Caller) async throws -> (id: GuildID, channel: ChannelID) {
        let reply = try await realtime.perform(
            GuildCommand(caller: owner, operation: .create, body: ["name": "Test"]), on: try realtime.mintID())
        let guild = try JSON.parse(reply.body)
        let id = try #require(guild["id"]?.snowflakeValue)
        let channels = try JSON.parse(
            try await realtime.perform(GuildCommand(caller: owner, operation: .listChannels), on: id).body)
        let text = try #require(channels.arrayValue?.first { $0["type"]?.intValue == 0 }?["id"]?.snowflakeValue)
        return (id, text)
    }

    func join(_ member: Caller, _ guild: (id: GuildID, channel: ChannelID), by owner: Caller) async throws {
        // An invite that is good for as much may be there already.
        let reply = try await realtime.perform(
            GuildCommand(
                caller: owner, operation: .createInvite(guild.channel, code: "c\(try realtime.mintID())")), on: guild.id
        )
        let code = try #require(try JSON.parse(reply.body)["code"]?.stringValue)
        _ = try await realtime.perform(
            GuildCommand(caller: member, operation: .acceptInvite(code: code)), on: guild.id)
    }

    @discardableResult
    func say(_ text: String, in channel: ChannelID, as caller: Caller, nonce: String? = nil) async throws -> JSON {
        var body = JSONObject([.init(key: "content", value: .string(text))])
        if let nonce {
            body["nonce"] = .string(nonce)
            body["enforce_nonce"] = true
        }
        let reply = try await realtime.perform(
            ChannelCommand(
                caller: caller, idempotencyKey: .random(in: 1 ... .max), operation: .send(attachments: []),
                body: .object(body)), on: channel)
        return try JSON.parse(reply.body)
    }

    /// A session of a person on one of the loops.
    func connect(_ caller: Caller, loop: Int = 0) async throws -> TestClient {
        let client = TestClient(node: self, caller: caller, loop: loop)
        try await client.identify()
        return client
    }
}

/// The leases in the database, as a node uses them.
private struct StoredLeases: LeaseAuthority {
    let store: LeaseStore

    func acquire(_ slots: [Slot], for node: FluxCluster.NodeIdentity) async throws -> [Slot: Epoch] {
        try await store.acquire(
            slots, for: FluxStore.NodeIdentity(node: node.id.rawValue, incarnation: node.incarnation))
    }

    func release(_ slots: [Slot: Epoch], of node: FluxCluster.NodeIdentity) async throws {}
}
