import FluxStore
import Logging

/// Postgres before a node is registered in it: found or started, its settings checked, its schema brought up to date, and the
/// node known to be a member of its cluster.
struct NodeDatabase: Sendable {
    /// How long a heartbeat may take: after as long without one the node is not ready.
    private static let patience = Duration.seconds(2)

    /// The node's own server; nil when the configuration, or the cluster, names one.
    let server: PrivatePostgres?
    /// How it is reached.
    let url: String
    /// For heartbeats, which must not wait behind anything else.
    let control: Database
    /// What the node is.
    let identity: MemberIdentity

    /// Opens it, in the order in which it can go wrong. On a failure nothing is left open.
    /// - Parameters:
    ///   - address: where other nodes will reach this one.
    ///   - isAnew: a cluster that is there is over, and this node is the first of a new one.
    static func open(
        _ configuration: NodeConfiguration, file: IdentityFile, address: Endpoint, in directory: DataDirectory,
        isAnew: Bool = false, logger: Logger
    ) async throws(CommandFailure) -> NodeDatabase {
        let known = try file.read()
        var server: PrivatePostgres?
        let url: String
        if let given = configuration.database.url ?? known?.databaseURL {
            url = given.exposed
        } else {
            do throws(StoreError) {
                let started = try await PrivatePostgres.start(
                    PrivatePostgres.Configuration(dataDirectory: directory.path, adoptsOrphans: true), logger: logger)
                server = started
                url = started.url
            } catch {
                throw CommandFailure(error)
            }
        }
        do throws(CommandFailure) {
            let control = try await connect(url, logger: logger)
            do throws(CommandFailure) {
                let check = MembershipCheck(
                    configuration: configuration, address: address, file: file, store: ClusterStore(control),
                    logger: logger)
                let identity = isAnew ? try await check.beginAnew(known) : try await check.establish(known)
                return NodeDatabase(server: server, url: url, control: control, identity: identity)
            } catch {
                await control.close()
                throw error
            }
        } catch {
            try? await server?.stop()
            throw error
        }
    }

    private static func connect(_ url: String, logger: Logger) async throws(CommandFailure) -> Database {
        var settings = DatabaseConfiguration(url: url, applicationName: "flux/control", connections: 1)
        settings.callTimeout = patience
        do throws(StoreError) {
            let control = try Database(configuration: settings, logger: logger)
            do throws(StoreError) {
                try await ServerCheck(control).requireDurability()
                let applied = try await Migrator().migrate(control, logger: logger)
                if !applied.isEmpty {
                    logger.notice("schema brought up to date", metadata: ["migrations": "\(applied)"])
                }
                return control
            } catch {
                await control.close()
                throw error
            }
        } catch {
            throw CommandFailure(error)
        }
    }

    /// Closes the connection and stops the node's own server.
    func close(logger: Logger) async {
        await control.close()
        do {
            try await server?.stop()
        } catch {
            logger.error("the private Postgres did not stop", metadata: ["error": "\(error)"])
        }
    }
}
