import FluxCluster
import FluxCore
import Foundation
import NIOCore
import NIOPosix
import Testing

/// Nodes in this process, each with loops of its own, on one network.
struct TestCluster {
    let nodes: [TestNode]
    private let wires: any TestWires

    /// Starts the nodes; the first gets all slots unless `spread` gives each its share by rendezvous.
    static func run<Value>(
        nodes count: Int = 1, loops: Int = 2, limits: CallLimits = CallLimits(), spread: Bool = false,
        over wiring: TestWiring = .local, dialects: [WireDialect]? = nil, byteBound: Int = 64 << 20,
        _ body: (TestCluster) async throws -> Value
    ) async throws -> Value {
        let wires = try wiring.wires(nodes: count)
        let leases = InMemoryLeases()
        let nodes = (1...count).map { number in
            TestNode(
                number: UInt16(number), loops: loops, limits: limits, byteBound: byteBound, wires, leases,
                dialect: dialects?[number - 1] ?? .ofTestNode(number))
        }
        try await wires.connect()
        let rendezvous = Rendezvous(nodes.map { .init(node: $0.id) })
        for node in nodes {
            let isFirst = node.id == nodes[0].id
            try await node.system.start(
                slots: Slot.all.filter { spread ? rendezvous.owner(of: $0) == node.id : isFirst })
        }
        for node in nodes {
            for other in nodes where other.id != node.id {
                // All at once: each time all slots are looked through.
                node.system.learn(
                    Slot.all.compactMap { slot in
                        let assignment = other.system.assignment(of: slot)
                        return assignment.node == other.id
                            ? Route(slot: slot, node: other.id, epoch: assignment.epoch) : nil
                    })
            }
        }
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(TestCluster(nodes: nodes, wires: wires)))
        } catch {
            result = .failure(error)
        }
        for node in nodes {
            node.journal.release()
            try await node.system.stop()
        }
        await wires.stop()
        for node in nodes {
            try await node.group.shutdownGracefully()
        }
        return try result.get()
    }

    /// Breaks the link between two nodes, and returns when neither has one to the other.
    func cut(_ first: NodeID, _ second: NodeID) async throws {
        try await wires.cut(first, second)
    }

    /// Lets the link between two nodes be made again.
    func heal(_ first: NodeID, _ second: NodeID) async throws {
        try await wires.heal(first, second)
    }
}

/// One node of a test.
struct TestNode {
    let id: NodeID
    let group: MultiThreadedEventLoopGroup
    let mesh: LoopMesh
    let system: ClusterActorSystem
    let journal = Journal()

    init(
        number: UInt16, loops: Int, limits: CallLimits, byteBound: Int, _ wires: any TestWires,
        _ leases: any LeaseAuthority, dialect: WireDialect
    ) {
        id = NodeID(rawValue: number)!
        group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        mesh = LoopMesh(group: group, byteBound: byteBound)
        let identity = NodeIdentity(name: "node-\(number)", id: id, incarnation: 1)
        let system = ClusterActorSystem(
            identity: identity, mesh: mesh, transport: wires.transport(of: identity, dialect, on: group),
            leases: leases,
            limits: limits)
        self.system = system
        let journal = journal
        system.register(failure: Refusal.self)
        system.register(Counter.kind) { address, epoch, _ in
            journal.record(.activating(address, epoch))
            await journal.untilReleased()
            try journal.throwIfFailing()
            return Counter(actorSystem: system, epoch: epoch, journal: journal)
        }
        system.register(Stranger.kind) { _, _, _ in Stranger(actorSystem: system) }
        system.register(Counter.add) { counter, value, respond in respond(counter.add(value)) }
        system.register(Counter.addTwice) { counter, value, respond in respond(counter.add(value)) }
        system.register(Counter.refuse) { _, _, respond in respond.refuse(Refusal(reason: "no")) }
        system.register(Counter.peek) { counter, value, respond in respond(counter.add(value)) }
        for call in [Counter.lose, Counter.loseTwice] {
            system.register(call) { counter, value, respond in
                if counter.epoch == 1 { respond.fail(SlotLoss.underWay) } else { respond(counter.add(value)) }
            }
        }
        system.register(Counter.leave) { counter, value, respond in
            if counter.epoch == 1 { respond.fail(SlotLoss.notBegun) } else { respond(counter.add(value)) }
        }
        system.register(Counter.drop) { _, _, _ in }
        system.register(Counter.keep) { counter, _, respond in counter.keep(respond) }
        system.register(Counter.addLater) { counter, value, respond in respond(counter.add(value)) }
        system.register(Counter.tellLater) { counter, value, respond in respond(LaterValue(value: counter.add(value))) }
    }

    func counter(_ key: UInt64) throws -> Counter {
        try system.handle(at: .counter(key))
    }
}

extension WireDialect {
    /// What a node of a test's cluster speaks: with `FLUX_TEST_WIRE=mixed` in the environment every second one is a build that
    /// comes after this one, which no test may notice.
    static func ofTestNode(_ number: Int) -> WireDialect {
        ProcessInfo.processInfo.environment["FLUX_TEST_WIRE"] == "mixed" && number % 2 == 0 ? .next : .own
    }
}

extension ActorAddress {
    static func counter(_ key: UInt64) -> ActorAddress {
        ActorAddress(kind: Counter.kind, key: Snowflake(key))
    }
}

extension Slot {
    static let all = (0..<UInt16(Slot.count)).map { Slot(rawValue: $0)! }
}

/// Waits until the condition holds; gives up only after so long that something must be broken.
func eventually(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(60)
    while clock.now < end {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(2))
    }
    Issue.record(what, sourceLocation: sourceLocation)
}
