import ArgumentParser
import CoreMetrics
import Logging

/// `flux node`: this machine's node.
struct NodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Run a node.", subcommands: [Run.self])

    /// `flux node run`.
    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Run a node until SIGTERM.",
            discussion: """
                The options override the configuration file and FLUX_* variables. SIGTERM or SIGINT drains: the node \
                goes unready, its clients are told to reconnect, everything accepted is committed, then it ends with \
                status 0. A second one ends it at once. SIGHUP reads the certificates again.

                While it serves, node.json in the data directory holds its process id and addresses.
                """)

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let loaded = try options.load()
            let settings = loaded.configuration.logging
            LoggingSystem.bootstrap { FluxLogHandler(label: $0, settings: settings, sink: .standardError) }
            let metrics = MetricsRegistry()
            MetricsSystem.bootstrap(metrics)
            let logger = Logger(label: "flux")
            for warning in loaded.warnings {
                logger.warning("\(warning)")
            }
            let node = FluxNode(configuration: loaded.configuration, metrics: metrics, logger: logger)
            let signals = ProcessSignals(stop: node.stop, reload: node.reload)
            defer { withExtendedLifetime(signals) {} }
            try await node.run()
        }
    }
}
