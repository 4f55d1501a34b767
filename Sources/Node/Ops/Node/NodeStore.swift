import FluxCore
import FluxStore
import Logging

/// Postgres as a node uses it: found or started, its settings checked, its schema brought up to date, the node registered.
struct NodeStore: Sendable {
    /// The number of the first node of a cluster, which a node that has not joined one is.
    static let firstNode: UInt16 = 1

    /// The node's own server; nil when the configuration names one.
    let server: PrivatePostgres?
    /// How lanes and pools connect.
    let configuration: DatabaseConfiguration
    /// For reads and control writes.
    let database: Database
    /// For what must not wait behind those: heartbeats and leases.
    let control: Database
    /// Who this run of the node is.
    let registration: LeaseStore.Registration

    /// Opens everything, in the order in which it can go wrong. On a failure nothing is left open.
    static func open(
        _ configuration: NodeConfiguration, name: String, in directory: DataDirectory, logger: Logger
    ) async throws(StoreError) -> NodeStore {
        var server: PrivatePostgres?
        let url: String
        if let given = configuration.database.url {
            url = given.exposed
        } else {
            let started = try await PrivatePostgres.start(
                PrivatePostgres.Configuration(dataDirectory: directory.path, adoptsOrphans: true), logger: logger)
            server = started
            url = started.url
        }
        do throws(StoreError) {
            return try await open(url, configuration, name: name, server: server, logger: logger)
        } catch {
            try? await server?.stop()
            throw error
        }
    }

    private static func open(
        _ url: String, _ configuration: NodeConfiguration, name: String, server: PrivatePostgres?, logger: Logger
    ) async throws(StoreError) -> NodeStore {
        var settings = DatabaseConfiguration(url: url, applicationName: "flux/control", connections: 1)
        settings.callTimeout = Heartbeat.patience
        let control = try Database(configuration: settings, logger: logger)
        do throws(StoreError) {
            try await ServerCheck(control).requireDurability()
            let applied = try await Migrator().migrate(control, logger: logger)
            if !applied.isEmpty {
                logger.notice("schema brought up to date", metadata: ["migrations": "\(applied)"])
            }
            let registration = try await LeaseStore(control).register(
                node: firstNode, name: name, lanes: configuration.database.lanes, at: .now())
            settings = DatabaseConfiguration(
                url: url, applicationName: registration.identity.applicationName("query"),
                connections: configuration.database.connections)
            let database = try Database(configuration: settings, logger: logger)
            return NodeStore(
                server: server, configuration: settings, database: database, control: control,
                registration: registration)
        } catch {
            await control.close()
            throw error
        }
    }

    /// Closes the connections and stops the node's own server.
    func close(logger: Logger) async {
        await database.close()
        await control.close()
        do {
            try await server?.stop()
        } catch {
            logger.error("the private Postgres did not stop", metadata: ["error": "\(error)"])
        }
    }
}
