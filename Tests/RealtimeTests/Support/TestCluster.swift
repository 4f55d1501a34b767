import FluxCluster
import FluxCore
import FluxStore
import FluxTestSupport
import Foundation
import Testing

@testable import FluxRealtime

extension WireDialect {
    /// What a node of a test's cluster speaks: with `FLUX_TEST_WIRE=mixed` in the environment every second one is a build that
    /// comes after this one, which no test may notice.
    static func ofTestNode(_ number: Int) -> WireDialect {
        ProcessInfo.processInfo.environment["FLUX_TEST_WIRE"] == "mixed" && number % 2 == 0 ? .next : .own
    }
}

/// Engines over one database and one network in this process, each with its share of the slots.
final class TestCluster: Sendable {
    /// Over how many nodes tests of one node are spread; 1 unless `FLUX_TEST_NODES` says otherwise.
    static let defaultCount = ProcessInfo.processInfo.environment["FLUX_TEST_NODES"].flatMap(Int.init) ?? 1

    let network: LocalNetwork
    let nodes: [TestNode]

    private init(network: LocalNetwork, nodes: [TestNode]) {
        self.network = network
        self.nodes = nodes
    }

    /// Runs a test against new nodes with the numbers 1, 2 …, which own the slots that rendezvous gives them.
    static func run<Value: Sendable>(
        nodes count: Int, loops: Int = 2, url given: String? = nil, limits: SessionLimits = SessionLimits(),
        laneLimits: LaneLimits = LaneLimits(), _ test: (TestCluster) async throws -> Value
    ) async throws -> Value {
        let url: String
        if let given { url = given } else { url = try await TestPostgres.shared.database().url }
        let network = LocalNetwork()
        var nodes: [TestNode] = []
        for number in 1...count {
            nodes.append(
                try await TestNode.start(
                    number: UInt16(number), loops: loops, url: url, limits: limits, laneLimits: laneLimits,
                    transport: { identity, _ in
                        network.transport(of: identity.id, dialect: .ofTestNode(number))
                    }))
        }
        let cluster = TestCluster(network: network, nodes: nodes)
        try await cluster.start()
        let result: Result<Value, any Error>
        do { result = .success(try await test(cluster)) } catch { result = .failure(error) }
        for node in nodes { await node.stop() }
        return try result.get()
    }

    private func start() async throws {
        let rendezvous = Rendezvous(nodes.map { .init(node: $0.id) })
        for node in nodes {
            try await node.realtime.start(slots: Slot.all.filter { rendezvous.owner(of: $0) == node.id })
        }
        for node in nodes { tellOthers(of: Slot.all, ownedBy: node) }
    }

    /// What gossip does: every node learns who owns the slots.
    func tellOthers(of slots: [Slot], ownedBy node: TestNode) {
        let routes = slots.compactMap { slot in
            let assignment = node.system.assignment(of: slot)
            return assignment.node == node.id ? Route(slot: slot, node: node.id, epoch: assignment.epoch) : nil
        }
        // All at once: each time all slots are looked through.
        for other in nodes where other !== node { other.system.learn(routes) }
    }

    /// The node that owns a slot, by the index in `nodes`.
    func owner(of slot: Slot) throws -> Int {
        let owner = nodes[0].system.assignment(of: slot).node
        return try #require(nodes.firstIndex { $0.id == owner })
    }

    /// The last committed number of each channel.
    func heads(of channels: [ChannelID]) async throws -> [ChannelID: Int] {
        var heads: [ChannelID: Int] = [:]
        for channel in channels {
            let stored = try await Channels(nodes[0].database).activation(of: channel, noncesSince: Snowflake(0))
            heads[channel] = Int(try #require(stored).head.seq)
        }
        return heads
    }

    /// Another node takes all slots of one that lost every link: the takers learn at once, the loser does not.
    func takeOver(from dead: Int, by taker: Int) async throws {
        for other in nodes.indices where other != dead { network.cut(nodes[dead].id, nodes[other].id) }
        let slots = Slot.all.filter { nodes[dead].system.assignment(of: $0).node == nodes[dead].id }
        try await nodes[taker].system.acquire(slots)
        let routes = slots.map { slot in
            Route(slot: slot, node: nodes[taker].id, epoch: nodes[taker].system.assignment(of: slot).epoch)
        }
        for other in nodes.indices where other != dead && other != taker { nodes[other].system.learn(routes) }
    }
}
