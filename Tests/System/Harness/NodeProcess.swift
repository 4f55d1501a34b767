import FluxCore
import Foundation
import NIOConcurrencyHelpers

/// A real node: `flux node run` in a directory of its own, on ports that it keeps when it is started again.
final class NodeProcess: Sendable {
    /// What differs from a node with a private Postgres and no rate limits.
    struct Options: Sendable {
        /// A Postgres that the test runs; nil: the node runs a private one.
        var databaseURL: String?
        var hasRateLimits = false
        /// Joins the cluster of this node with that token at its first start; nil: makes a cluster of its own.
        var joining: (node: NodeProcess, token: String)?
        /// More options of the command line.
        var arguments: [String] = []
        /// More variables of the environment.
        var environment: [String: String] = [:]

        init(
            databaseURL: String? = nil, hasRateLimits: Bool = false,
            joining: (node: NodeProcess, token: String)? = nil, arguments: [String] = []
        ) {
            self.databaseURL = databaseURL
            self.hasRateLimits = hasRateLimits
            self.joining = joining
            self.arguments = arguments
        }
    }

    /// Why `/readyz` says that the node is not ready; empty when it is.
    typealias Reasons = [String]

    /// Its data directory.
    let directory: SystemDirectory
    /// Where clients connect.
    let port: Int
    /// Where metrics and health are.
    let adminPort: Int
    /// Where nodes connect.
    let clusterPort: Int
    private let options: Options
    private let running: NIOLockedValueBox<ChildProcess>

    /// Starts a node and waits until it is ready.
    static func start(_ options: Options = Options(), in directory: SystemDirectory? = nil) async throws -> NodeProcess
    {
        let node = try NodeProcess(options, in: directory ?? SystemDirectory())
        try await node.waitUntilReady()
        return node
    }

    /// Starts a node.
    init(_ options: Options = Options(), in directory: SystemDirectory) throws {
        self.directory = directory
        self.options = options
        port = try FreePort.take()
        adminPort = try FreePort.take()
        clusterPort = try FreePort.take()
        running = NIOLockedValueBox(
            try Self.launch(options, directory, port: port, adminPort: adminPort, clusterPort: clusterPort))
    }

    private static func launch(
        _ options: Options, _ directory: SystemDirectory, port: Int, adminPort: Int, clusterPort: Int
    ) throws -> ChildProcess {
        // What is a member needs no token, so that every start but the first is that of any node.
        let isMember = FileManager.default.fileExists(atPath: directory.file("identity.json"))
        var arguments = ["node", "run"]
        if let joining = options.joining, !isMember {
            arguments = ["node", "join", joining.node.clusterAddress, "--token", joining.token]
        }
        arguments += [
            "--data-dir", directory.path, "--name", "node-\(port)", "--listen", "127.0.0.1:\(port)",
            "--admin-listen", "127.0.0.1:\(adminPort)", "--cluster-listen", "127.0.0.1:\(clusterPort)",
            "--rate-limits", options.hasRateLimits ? "on" : "off",
        ]
        if let url = options.databaseURL { arguments += ["--database-url", url] }
        return try ChildProcess(
            arguments + options.arguments, named: "node", in: directory, environment: options.environment)
    }

    // MARK: What it is

    /// Its process.
    var process: ChildProcess { running.withLockedValue(\.self) }
    /// The origin of its client port.
    var url: String { "http://127.0.0.1:\(port)" }
    /// The origin of its admin port.
    var adminURL: String { "http://127.0.0.1:\(adminPort)" }
    /// Where nodes connect, as an address.
    var clusterAddress: String { "127.0.0.1:\(clusterPort)" }
    /// Its name in the cluster.
    var name: String { "node-\(port)" }
    /// What it has logged, and its predecessors in the same directory.
    var log: String { process.standardError }
    /// The last lines of that.
    var logTail: String { log.split(separator: "\n").suffix(40).joined(separator: "\n") }
    /// The postmaster of its private Postgres.
    var postmaster: pid_t? { SystemDirectory.postmaster(in: directory.path) }

    /// What `node.json` says, while it serves.
    var card: JSON? {
        FileManager.default.contents(atPath: directory.file("node.json")).flatMap { try? JSON.parse(Array($0)) }
    }

    /// Why it is not ready; nil when its admin port does not answer.
    func reasonsAgainstReadiness() async throws -> Reasons? {
        let client = HTTPClient(port: adminPort)
        defer { client.close() }
        guard let answer = try? await client.send(.GET, "/readyz") else { return nil }
        return answer.body["reasons"]?.arrayValue?.compactMap { $0["code"]?.stringValue } ?? []
    }

    /// The samples of a metric, all its series together; nil when there is none.
    func metric(_ name: String) async throws -> Double? {
        let client = HTTPClient(port: adminPort)
        defer { client.close() }
        let samples = try await client.send(.GET, "/metrics").text.split(separator: "\n").compactMap { line in
            line.hasPrefix(name + " ") || line.hasPrefix(name + "{")
                ? line.split(separator: " ").last.flatMap { Double($0) } : nil
        }
        return samples.isEmpty ? nil : samples.reduce(0, +)
    }

    /// Waits until it takes traffic.
    /// - Throws: when it ends instead, with what it said.
    func waitUntilReady() async throws {
        let process = process
        do {
            _ = try await eventually("the node to be ready", within: .seconds(90)) { () async throws -> Bool? in
                if let ended = process.ended { throw HarnessError("the node ended with \(ended)") }
                // A card of the former process may lie there still.
                guard card?["pid"]?.intValue == Int(process.id) else { return nil }
                return try await reasonsAgainstReadiness() == [] ? true : nil
            }
        } catch {
            throw HarnessError("\(error)\n\(logTail)")
        }
    }

    // MARK: What is done to it

    /// Kills it, as a crash or the kernel does. Its private Postgres lives on.
    func kill() async throws { try await process.kill() }

    /// Sends a signal.
    func signal(_ number: Int32) { process.signal(number) }

    /// Stops its process as it stands; nothing is closed.
    func pause() { process.signal(SIGSTOP) }

    /// Lets it go on after ``pause()``.
    func proceed() { process.signal(SIGCONT) }

    /// Starts it again after its end, on the same ports, without waiting for it to be ready.
    /// - Parameter environment: more variables, of this start alone.
    func relaunch(environment: [String: String] = [:]) throws {
        var options = options
        options.environment.merge(environment) { $1 }
        let next = try Self.launch(options, directory, port: port, adminPort: adminPort, clusterPort: clusterPort)
        running.withLockedValue { $0 = next }
    }

    /// Starts it after its end as one that has never been a member: nothing is left of it but its name and its ports.
    func join(through node: NodeProcess, token: String) throws {
        try directory.empty()
        var options = options
        options.joining = (node, token)
        let next = try Self.launch(options, directory, port: port, adminPort: adminPort, clusterPort: clusterPort)
        running.withLockedValue { $0 = next }
    }

    /// Starts it again after its end, on the same ports, and waits until it is ready.
    func restart() async throws {
        try relaunch()
        try await waitUntilReady()
    }

    /// Stops it in good order. - Returns: how it ended.
    @discardableResult
    func stop() async throws -> ChildProcess.Ending {
        signal(SIGTERM)
        return try await process.waitForEnd()
    }
}

/// Runs a test with a node that is removed afterwards. When the test throws, the node's last words are added.
func withNode<Value>(
    _ options: NodeProcess.Options = .init(), _ test: (NodeProcess) async throws -> Value
) async throws -> Value {
    let directory = try SystemDirectory()
    defer { directory.remove() }
    let node = try await NodeProcess.start(options, in: directory)
    do {
        return try await test(node)
    } catch {
        throw HarnessError("\(error)\nthe node's log:\n\(node.logTail)")
    }
}
