import FluxCore
import Foundation
import NIOConcurrencyHelpers
import NIOHTTP1

/// A cluster of real nodes that are one Postgres's: each joins by a token, and between all of them lies a ``TestNetwork``.
final class ClusterProcess: Sendable {
    let postgres: PostgresProcess
    let network = TestNetwork()
    private let directories = NIOLockedValueBox<[SystemDirectory]>([])
    private let members = NIOLockedValueBox<[NodeProcess]>([])

    private init(_ postgres: PostgresProcess) { self.postgres = postgres }

    /// Runs a test with a cluster that is removed afterwards. When the test throws, each node's last words are added.
    static func with<Value>(_ count: Int, _ test: (ClusterProcess) async throws -> Value) async throws -> Value {
        try await withPostgres { postgres in
            let cluster = ClusterProcess(postgres)
            let result = await Result {
                for _ in 0..<count { try await cluster.add() }
                try await cluster.waitUntilWhole()
                return try await test(cluster)
            }
            let words = cluster.nodes.enumerated().map { "node \($0):\n\($1.logTail)" }.joined(separator: "\n")
            for directory in cluster.directories.withLockedValue(\.self) { directory.remove() }
            await cluster.network.stop()
            return try result.mapError { HarnessError("\($0)\n\(words)") }.get()
        }
    }

    /// Its nodes, also those that do not run, by their numbers here.
    var nodes: [NodeProcess] { members.withLockedValue(\.self) }

    subscript(number: Int) -> NodeProcess { nodes[number] }

    // MARK: What is done to it

    /// Adds a node and waits until it is ready. - Returns: its number.
    @discardableResult
    func add(environment: [String: String] = [:]) async throws -> Int {
        let number = nodes.count
        let directory = try SystemDirectory()
        directories.withLockedValue { $0.append(directory) }
        let link = try await LinkProxy.start(in: network, to: .node(number))
        let database = try await LinkProxy.start(
            in: network, from: .node(number), to: .postgres, backend: postgres.port)
        var options = NodeProcess.Options(
            databaseURL: postgres.url(through: database.port),
            arguments: ["--set", "cluster_advertise=127.0.0.1:\(link.port)"])
        options.environment = environment
        if let first = nodes.first { options.joining = (first, try await token()) }
        let node = try NodeProcess(options, in: directory)
        link.serve(node.clusterPort)
        network.note(process: node.process.id, asNode: number)
        members.withLockedValue { $0.append(node) }
        try await node.waitUntilReady()
        return number
    }

    /// Starts a node again after its end, without waiting for it to be ready.
    func relaunch(_ number: Int, environment: [String: String] = [:]) throws {
        try self[number].relaunch(environment: environment)
        network.note(process: self[number].process.id, asNode: number)
    }

    /// Starts a node again after its end and waits until it is ready.
    func restart(_ number: Int, environment: [String: String] = [:]) async throws {
        try relaunch(number, environment: environment)
        try await self[number].waitUntilReady()
    }

    /// Removes a dead node from the cluster and lets a new one of its name join by a token, without waiting for it to be ready.
    func replace(_ number: Int) async throws {
        let other = (number + 1) % nodes.count
        _ = try await eventually("the dead node \(number) to be removed", within: .seconds(60)) {
            await ask(other, .DELETE, "/nodes/" + self[number].name)
        }
        let token = try await eventually("a token", within: .seconds(60)) {
            await ask(other, .POST, "/tokens", [:])?["token"]?.stringValue
        }
        try self[number].join(through: self[other], token: token)
        network.note(process: self[number].process.id, asNode: number)
    }

    /// Cuts all links of some nodes with all others; Postgres stays within their reach.
    func isolate(_ numbers: Int...) { isolate(numbers) }

    /// Cuts all links of some nodes with all others; Postgres stays within their reach.
    func isolate(_ numbers: [Int]) {
        for number in numbers {
            for other in nodes.indices where !numbers.contains(other) { network.cut(.node(number), .node(other)) }
        }
    }

    /// Has a node give all its slots away. Asks again while the node says that it is not done or cannot.
    func drain(_ number: Int) async throws {
        _ = try await eventually("node \(number) to be drained") { await ask(number, .POST, "/drain", [:]) }
    }

    /// Lets a drained node take part again.
    func undrain(_ number: Int) async throws {
        _ = try await eventually("node \(number) to be undrained") { await ask(number, .POST, "/undrain", [:]) }
    }

    // MARK: What it says

    /// Asks a node what `flux node` asks; nil when it does not answer, or refuses.
    func ask(_ number: Int, _ method: HTTPMethod, _ path: String, _ body: JSON? = nil) async -> JSON? {
        let client = HTTPClient(port: self[number].adminPort)
        defer { client.close() }
        let answer = try? await client.send(
            method, "/admin/v1/cluster" + path, body, headers: [("X-Flux-Admin", "1")])
        return answer?.status == 200 ? answer?.body : nil
    }

    func token() async throws -> String {
        guard let token = await ask(0, .POST, "/tokens", [:])?["token"]?.stringValue else {
            throw HarnessError("no token was made")
        }
        return token
    }

    /// Waits until these nodes, without numbers all, are ready and own every slot between them, each some.
    func waitUntilWhole(_ numbers: [Int]? = nil) async throws {
        let numbers = numbers ?? Array(nodes.indices)
        let last = NIOLockedValueBox<JSON?>(nil)
        do {
            _ = try await eventually(
                "the slots to be owned by \(numbers)", within: .seconds(120), every: .milliseconds(50)
            ) { () async throws -> Bool? in
                for number in numbers {
                    if let ended = self[number].process.ended {
                        throw HarnessError("node \(number) ended with \(ended)")
                    }
                    guard try await self[number].reasonsAgainstReadiness() == [] else { return nil }
                }
                let listed = await ask(numbers[0], .GET, "/nodes")?["nodes"]?.arrayValue
                last.withLockedValue { $0 = listed.map { .array($0) } }
                let slots = numbers.map { number in
                    listed?.first { $0["name"]?.stringValue == self[number].name }?["slots"]?.intValue ?? 0
                }
                return slots.allSatisfy { $0 > 0 } && slots.reduce(0, +) == 1_024 ? true : nil
            }
        } catch {
            throw HarnessError(
                "\(error)\n\(last.withLockedValue { $0.map { String(decoding: $0.encoded(), as: UTF8.self) } ?? "" })")
        }
    }

    /// Waits until all nodes are ready and have slots, after these were hurt. Such a node may have ended because others had
    /// its slots: then it is started again, as a service manager does.
    func waitUntilBack(_ numbers: Int...) async throws { try await waitUntilBack(numbers) }

    func waitUntilBack(_ numbers: [Int]) async throws {
        for number in numbers {
            _ = try await eventually("node \(number) to be ready", within: .seconds(120)) { () async throws -> Bool? in
                if let ended = self[number].process.ended {
                    print("  node \(number) ended with \(ended) and is started again")
                    try relaunch(number)
                }
                return try await self[number].reasonsAgainstReadiness() == [] ? true : nil
            }
        }
        try await waitUntilWhole()
    }

    /// Waits until a node takes no traffic.
    func waitUntilUnready(_ number: Int) async throws { _ = try await waitUntilOneIsUnready(of: [number]) }

    /// Waits until one of these nodes takes no traffic. - Returns: which.
    func waitUntilOneIsUnready(of numbers: [Int]) async throws -> Int {
        try await eventually("one of \(numbers) not to be ready") {
            for number in numbers where try await self[number].reasonsAgainstReadiness() != [] { return number }
            return nil
        }
    }
}
