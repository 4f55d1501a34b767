import FluxFuzzing
import Foundation

/// Something that happens to a cluster and passes, drawn from a seed.
enum RandomFault: CustomStringConvertible {
    case kill([Int])
    case pause(Int, milliseconds: Int)
    case isolate([Int], milliseconds: Int, withPostgres: Bool)
    case cut(Int, Int, isOneWay: Bool, milliseconds: Int)
    case withoutPostgres(Int, milliseconds: Int)
    case postgresAway(milliseconds: Int)
    case postgresKilled
    case drain(Int)
    case drainWithoutPostgres(Int, milliseconds: Int)
    case restart(Int)
    case replace(Int)

    static func draw(nodes count: Int, using generator: inout SeededGenerator) -> RandomFault {
        let nodes = Array(0..<count).shuffled(using: &generator)
        let some = Array(nodes.prefix(Int.random(in: 1...2, using: &generator)))
        let time = Int.random(in: 200...8_000, using: &generator)
        let toss = Bool.random(using: &generator)
        switch Int.random(in: 0..<11, using: &generator) {
        case 0: return .kill(some)
        case 1: return .pause(nodes[0], milliseconds: time)
        case 2: return .isolate(some, milliseconds: time, withPostgres: toss)
        case 3: return .cut(nodes[0], nodes[1], isOneWay: toss, milliseconds: time)
        case 4: return .withoutPostgres(nodes[0], milliseconds: time)
        case 5: return .postgresAway(milliseconds: time)
        case 6: return .postgresKilled
        case 7: return .drain(nodes[0])
        case 8: return .restart(nodes[0])
        case 9: return .drainWithoutPostgres(nodes[0], milliseconds: time)
        default: return .replace(nodes[0])
        }
    }

    /// Lets it happen and pass, and waits until the cluster is whole again.
    func strike(_ cluster: ClusterProcess) async throws {
        func wait(_ milliseconds: Int) async throws { try await Task.sleep(for: .milliseconds(milliseconds)) }
        switch self {
        case .kill(let nodes):
            for node in nodes { try await cluster[node].kill() }
            for node in nodes { try cluster.relaunch(node) }
        case .pause(let node, let time):
            cluster[node].pause()
            try await wait(time)
            cluster[node].proceed()
        case .isolate(let nodes, let time, let withPostgres):
            cluster.isolate(nodes)
            if !withPostgres { for node in nodes { cluster.network.cut(.node(node), .postgres) } }
            try await wait(time)
        case .cut(let one, let other, let isOneWay, let time):
            cluster.network.cut(from: .node(one), to: .node(other))
            if !isOneWay { cluster.network.cut(.node(one), .node(other)) }
            try await wait(time)
        case .withoutPostgres(let node, let time):
            cluster.network.cut(.node(node), .postgres)
            try await wait(time)
        case .postgresAway(let time):
            try await cluster.postgres.stop()
            try await wait(time)
            try await cluster.postgres.restart()
        case .postgresKilled:
            try cluster.postgres.killServer()
        case .drain(let node):
            try await cluster.drain(node)
            try await cluster.undrain(node)
        case .drainWithoutPostgres(let node, let time):
            async let drained = cluster.ask(node, .POST, "/drain", [:])
            // In the middle of its hand-overs.
            try await wait(20 + time % 400)
            cluster.network.cut(.node(node), .postgres)
            try await wait(time)
            cluster.network.mend()
            _ = await drained
            try await cluster.undrain(node)
        case .restart(let node):
            try await cluster[node].stop()
            try cluster.relaunch(node)
        case .replace(let node):
            try await cluster[node].kill()
            try await cluster.replace(node)
        }
        cluster.network.mend()
        try await cluster.waitUntilBack(Array(cluster.nodes.indices))
    }

    var description: String {
        switch self {
        case .kill(let nodes): "kill \(nodes)"
        case .pause(let node, let time): "pause \(node) for \(time) ms"
        case .isolate(let nodes, let time, let with):
            "cut off \(nodes) for \(time) ms, \(with ? "with" : "without") Postgres"
        case .cut(let one, let other, let isOneWay, let time):
            "cut \(one) \(isOneWay ? ">" : "-") \(other) for \(time) ms"
        case .withoutPostgres(let node, let time): "cut \(node) - Postgres for \(time) ms"
        case .postgresAway(let time): "stop Postgres for \(time) ms"
        case .postgresKilled: "kill Postgres"
        case .drain(let node): "drain \(node)"
        case .drainWithoutPostgres(let node, let time):
            "drain \(node), and cut it from Postgres meanwhile for \(time) ms"
        case .restart(let node): "restart \(node)"
        case .replace(let node): "kill and remove \(node), and let a new one join"
        }
    }
}
