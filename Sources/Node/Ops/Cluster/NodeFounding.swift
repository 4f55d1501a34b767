import Logging

/// Makes a cluster and its first node, and runs nothing of it.
struct NodeFounding: Sendable {
    let configuration: NodeConfiguration
    let logger: Logger
    /// Whether a cluster that is there, of the database or of the data directory, is over.
    var isAnew = false

    /// What the node of the data directory is, made now or before.
    func run() async throws -> MemberIdentity {
        let directory = try DataDirectory(configuration.dataDirectory)
        defer { withExtendedLifetime(directory) {} }
        // Port 0 becomes known when the node runs; it says then where it is reached.
        let opened = try await NodeDatabase.open(
            configuration, file: IdentityFile(in: directory, logger: logger),
            address: configuration.clusterAdvertise ?? configuration.clusterListen, in: directory,
            isAnew: isAnew, logger: logger)
        await opened.close(logger: logger)
        return opened.identity
    }
}
