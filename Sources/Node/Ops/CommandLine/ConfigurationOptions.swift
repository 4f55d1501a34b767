import ArgumentParser
import Foundation

/// The options that override a node's configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "The YAML file (or FLUX_CONFIG). Without one the defaults stand.", completion: .file())
    var config: String?

    @Option(help: "The node's name.")
    var name: String?

    @Option(help: ArgumentHelp("Where people and bots connect.", valueName: "host:port"))
    var listen: String?

    @Option(help: ArgumentHelp("Where other nodes connect.", valueName: "host:port"))
    var clusterListen: String?

    @Option(help: ArgumentHelp("Where metrics, health and the admin API are served.", valueName: "host:port"))
    var adminListen: String?

    @Option(help: "The directory of keys, files and the private Postgres.", completion: .directory)
    var dataDir: String?

    @Option(help: "A postgres:// URL. Other users of the machine can see it: prefer database.url_file.")
    var databaseUrl: String?

    @Option(help: ArgumentHelp("Rate limits on or off.", valueName: "on|off"))
    var rateLimits: String?

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("Any key of the configuration; repeatable.", valueName: "key=value"))
    var assignments: [String] = []

    mutating func validate() throws {
        for assignment in assignments where !assignment.contains("=") {
            throw ValidationError("--set \(assignment): expected key=value")
        }
    }

    /// Reads the file, the environment and these options.
    func load(environment: [String: String] = ProcessInfo.processInfo.environment) throws(ConfigurationProblems)
        -> LoadedConfiguration
    {
        try ConfigurationLoader(file: file(environment), environment: environment, options: overrides).load()
    }

    /// The file that is read, if any.
    func file(_ environment: [String: String]) -> String? {
        config ?? environment["FLUX_CONFIG"]
    }

    private var overrides: [ConfigurationLoader.Option] {
        let named: [(option: String, path: String, text: String?)] = [
            ("--name", "name", name), ("--listen", "listen", listen),
            ("--cluster-listen", "cluster_listen", clusterListen), ("--admin-listen", "admin_listen", adminListen),
            ("--data-dir", "data_dir", dataDir), ("--database-url", "database.url", databaseUrl),
            ("--rate-limits", "rate_limits.enabled", rateLimits),
        ]
        let given = named.compactMap { entry in
            entry.text.map { ConfigurationLoader.Option(name: entry.option, path: entry.path, text: $0) }
        }
        let assigned = assignments.map { assignment in
            let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return ConfigurationLoader.Option(
                name: "--set \(parts[0])", path: String(parts[0]), text: String(parts.last ?? ""))
        }
        return given + assigned
    }
}
