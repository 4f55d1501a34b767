import ArgumentParser
import CoreMetrics
import FluxCore
import FluxSecurity
import Foundation
import Logging

/// `flux node`: this machine's node, and its cluster.
struct NodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node",
        abstract: "Run a node, and see and change its cluster.",
        discussion: """
            One node is a cluster of one. A second one joins it:

              on a node of the cluster   flux node token create
              on the new machine         flux node join HOST:7400 --token TOKEN --cluster-listen ADDRESS:7400

            `run`, `init` and `join` are about the data directory of this machine. The others ask a running node through \
            its admin port.
            """,
        subcommands: [
            Run.self, Init.self, Join.self, NodeTokenCommand.self, List.self, Status.self, Drain.self,
            Undrain.self, Leave.self, Remove.self,
        ])

    /// `flux node run`.
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run a node until SIGTERM.",
            discussion: """
                The options override the configuration file and FLUX_* variables. On an empty data directory it makes a \
                cluster first, as `flux node init` does. SIGTERM or SIGINT drains: the node \
                goes unready, its clients are told to reconnect, everything accepted is committed, then it ends with \
                status 0. A second one ends it at once. SIGHUP reads the certificates again.

                While it serves, node.json in the data directory holds its process id and addresses.
                """)

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try await NodeCommand.run(options)
        }
    }

    /// `flux node init`.
    struct Init: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a new cluster and its first node, without running it.",
            discussion: """
                Makes the cluster's id, its certificate authority and the node's certificate in the data directory, and \
                the schema in the database. Where that was done it changes nothing. A database that belongs to another \
                cluster is refused.

                With --anew a cluster that is over does not stand in the way: one whose nodes are gone for good with what \
                they were (identity.json), or of which the database is a copy. It is refused while a node of it lives. The \
                new cluster keeps everything that was said, accounts included; nodes and join tokens of the old one mean \
                nothing to it. What the node of this data directory was stays in identity-CLUSTER.json. It makes a new \
                cluster each time; after an interruption it goes on.
                """)

        @Flag(help: "Make a new cluster in the place of one that is over, and keep what was said in it.")
        var anew = false

        @Flag(help: "Print one JSON object.")
        var json = false

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let (configuration, logger) = try NodeCommand.load(options)
            let member = try await NodeFounding(configuration: configuration, logger: logger, isAnew: anew).run()
            let made: JSON = [
                "cluster": .string(member.cluster.description), "name": .string(member.name),
                "id": JSON(Int(member.node.rawValue)),
            ]
            print(
                json
                    ? String(decoding: made.encoded(), as: UTF8.self)
                    : "cluster \(member.cluster), node \(member.name) (\(member.node))")
        }
    }

    /// `flux node join`.
    struct Join: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Join a cluster, then run the node until SIGTERM.",
            discussion: """
                Asks the node at HOST:PORT, which is the cluster_listen of any node of the cluster. It is believed only \
                when it shows the authority that the token names. The node gets its number, its certificate and the \
                database's URL, and then runs as with `flux node run`, which is how it is started from then on. Repeated, \
                it only runs.

                Exit status, beside those of `run`: 10 the cluster knows no such token, 11 the token was used, 12 it has \
                expired, 13 another cluster, 14 the name is taken, 15 this build is too old or too new for the cluster, \
                17 no node answers, 69 Postgres does not answer. Then nothing has changed.
                """)

        @Argument(help: ArgumentHelp("A node of the cluster.", valueName: "host:port"))
        var address: String

        @Option(
            help: "What `flux node token create` printed. Other users of the machine can see it: prefer --token-file.")
        var token: String?

        @Option(help: "A file that holds the token.", completion: .file())
        var tokenFile: String?

        @OptionGroup var options: ConfigurationOptions

        mutating func validate() throws {
            guard Endpoint(address).map({ $0.port > 0 }) == true else {
                throw ValidationError("\(address): expected host:port")
            }
            guard (token == nil) != (tokenFile == nil) else {
                throw ValidationError("give one of --token and --token-file")
            }
        }

        func run() async throws {
            guard let address = Endpoint(address) else { throw CommandFailure(.usage, "expected host:port") }
            guard let token = JoinToken(parsing: try text()) else {
                throw CommandFailure(
                    .wrongToken, "this is no join token; take the whole line that `flux node token create` printed")
            }
            try await NodeCommand.run(options, joining: NodeJoining(address: address, token: token))
        }

        private func text() throws -> String {
            guard let tokenFile else { return token ?? "" }
            guard let content = try? String(contentsOfFile: tokenFile, encoding: .utf8) else {
                throw CommandFailure(.usage, "--token-file \(tokenFile): cannot be read")
            }
            return String(content.trimmed)
        }
    }

    // MARK: What they share

    private static func load(_ options: ConfigurationOptions) throws -> (NodeConfiguration, Logger) {
        let loaded = try options.load()
        let settings = loaded.configuration.logging
        LoggingSystem.bootstrap { FluxLogHandler(label: $0, settings: settings, sink: .standardError) }
        let logger = Logger(label: "flux")
        for warning in loaded.warnings {
            logger.warning("\(warning)")
        }
        return (loaded.configuration, logger)
    }

    private static func run(_ options: ConfigurationOptions, joining: NodeJoining? = nil) async throws {
        let (configuration, logger) = try load(options)
        let metrics = MetricsRegistry()
        MetricsSystem.bootstrap(metrics)
        let dialect = try RehearsedWire.dialect(ProcessInfo.processInfo.environment)
        let node = FluxNode(configuration: configuration, dialect: dialect, metrics: metrics, logger: logger)
        let signals = ProcessSignals(stop: node.stop, reload: node.reload)
        defer { withExtendedLifetime(signals) {} }
        try await node.run(joining: joining)
    }
}
