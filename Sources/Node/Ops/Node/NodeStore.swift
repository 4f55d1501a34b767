import FluxCore
import FluxStore
import Logging

/// Postgres as a running node uses it: the node registered, the connections for its work open.
struct NodeStore: Sendable {
    /// Several slots are handed over at once, and a take-over may wait for locks meanwhile.
    private static let leaseConnections = 3

    private let opened: NodeDatabase
    /// How lanes and pools connect.
    let configuration: DatabaseConfiguration
    /// For reads and control writes.
    let database: Database
    /// For leases and verdicts, which must not wait behind reads.
    let leases: Database
    /// Who this run of the node is.
    let registration: LeaseStore.Registration

    /// For heartbeats, which must not wait behind anything else.
    var control: Database { opened.control }
    /// What the node is.
    var identity: MemberIdentity { opened.identity }
    /// How other nodes reach the database; nil for a server of the node's own, which they do not.
    var sharedURL: String? { opened.server == nil ? opened.url : nil }

    /// Opens everything, in the order in which it can go wrong. On a failure nothing is left open.
    /// - Parameter address: where other nodes will reach this one.
    static func open(
        _ configuration: NodeConfiguration, file: IdentityFile, address: Endpoint, in directory: DataDirectory,
        logger: Logger
    ) async throws(CommandFailure) -> NodeStore {
        let opened = try await NodeDatabase.open(
            configuration, file: file, address: address, in: directory, logger: logger)
        do throws(StoreError) {
            return try await register(opened, configuration, logger: logger)
        } catch {
            await opened.close(logger: logger)
            throw error == .fenced ? .removed(opened.identity) : CommandFailure(error)
        }
    }

    private static func register(
        _ opened: NodeDatabase, _ configuration: NodeConfiguration, logger: Logger
    ) async throws(StoreError) -> NodeStore {
        let registration = try await LeaseStore(opened.control).register(
            node: opened.identity.node.rawValue, name: opened.identity.name, lanes: configuration.database.lanes,
            at: .now())
        let settings = DatabaseConfiguration(
            url: opened.url, applicationName: registration.identity.applicationName("query"),
            connections: configuration.database.connections)
        let leases = DatabaseConfiguration(
            url: opened.url, applicationName: registration.identity.applicationName("leases"),
            connections: leaseConnections)
        return NodeStore(
            opened: opened, configuration: settings, database: try Database(configuration: settings, logger: logger),
            leases: try Database(configuration: leases, logger: logger), registration: registration)
    }

    /// Closes the connections and stops the node's own server.
    func close(logger: Logger) async {
        await database.close()
        await leases.close()
        await opened.close(logger: logger)
    }
}
