import FluxCore
import FluxStore

/// Some nodes of a cluster as rows in a real Postgres, without their processes: what each would ask for is asked for here,
/// and heartbeats are as old as a test says.
struct LeaseCluster: Sendable {
    let database: Database
    /// With patience so long that no heartbeat stops by itself during a test.
    let leases: LeaseStore
    let nodes: [NodeIdentity]

    /// Registers nodes 1 to `count`, each with two lanes.
    init(_ database: Database, nodes count: UInt16) async throws {
        self.database = database
        leases = LeaseStore(database, patience: LeasePatience(expiry: .seconds(3600), longestGap: .seconds(600)))
        var nodes: [NodeIdentity] = []
        for number in 1...count {
            nodes.append(
                try await leases.register(node: number, name: "node-\(number)", lanes: 2, at: .now()).identity)
        }
        self.nodes = nodes
    }

    /// The same tables, looked at by somebody who waits 20 ms for a heartbeat.
    var impatient: LeaseStore {
        LeaseStore(database, patience: LeasePatience(expiry: .milliseconds(20), longestGap: .seconds(600)))
    }

    /// The node's last heartbeat was two hours ago.
    func silence(_ node: NodeIdentity) async throws {
        try await database.run(Statement(Self.silence, [.int(node.node)]))
    }

    /// The node's heartbeats have come for two hours.
    func makeSteady(_ node: NodeIdentity) async throws {
        try await database.run(Statement(Self.makeSteady, [.int(node.node)]))
    }

    /// For how many seconds the server has run.
    func uptime() async throws -> Double {
        try await database.run(Statement(Self.uptime))[0].double("seconds")
    }

    func owner(of slot: Slot) async throws -> NodeIdentity? {
        try await leases.leases().first { $0.slot == slot }?.owner
    }

    /// The fence of the lane through which the node writes to the slot.
    func generation(of node: NodeIdentity, _ slot: Slot) async throws -> Int64 {
        let rows = try await database.run(
            Statement(
                Self.generation, [.int(node.node), .int(node.incarnation), .int(Int64(slot.rawValue) % 2)]))
        return try rows[0].int("gen")
    }

    private static let uptime = PreparedQuery(
        "test.uptime",
        "SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 AS seconds")
    private static let silence = PreparedQuery(
        "test.silence", "UPDATE nodes SET heartbeat_at = clock_timestamp() - interval '2 hours' WHERE id = $1", [.int2])
    private static let makeSteady = PreparedQuery(
        "test.steady", "UPDATE nodes SET unbroken_since = clock_timestamp() - interval '2 hours' WHERE id = $1",
        [.int2])
    private static let generation = PreparedQuery(
        "test.generation", "SELECT gen FROM lanes WHERE node = $1 AND incarnation = $2 AND lane = $3",
        [.int2, .int8, .int2])
}

func slots(_ numbers: ClosedRange<UInt16>) -> [Slot] { numbers.compactMap(Slot.init(rawValue:)) }
