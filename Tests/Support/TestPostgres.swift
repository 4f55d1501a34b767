import FluxStore
import Foundation
import Logging
import Synchronization

/// One private Postgres server per test process, and a database of its own for each test.
///
///     let database = try await TestPostgres.shared.database()
///     … database.configuration …
///
/// The server is made when first asked for and removed when the process ends. Servers of test processes that were killed
/// are removed by the next one. Databases are copies of one that was migrated once, so they cost some 50 ms each.
public actor TestPostgres {
    /// The server of this process.
    public static let shared = TestPostgres()

    private var server: Task<PrivatePostgres, any Error>?
    private var template: Task<Void, any Error>?
    private var count = 0
    /// Makes the newest database.
    private var latest: Task<Void, any Error>?
    private var ownCount = 0

    /// The running server.
    public func postgres() async throws -> PrivatePostgres {
        if let server { return try await server.value }
        let task = Task {
            TestDirectory.removeAbandoned()
            let server = try await PrivatePostgres.start(
                TestDirectory.configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            TestDirectory.removeAtExit(server)
            return server
        }
        server = task
        return try await task.value
    }

    /// A new database with the whole schema.
    public func database() async throws -> TestDatabase {
        let postgres = try await postgres()
        if template == nil { template = Task { try await TestPostgres.makeTemplate(postgres) } }
        try await template?.value
        return try await create(from: "flux_template", in: postgres)
    }

    /// A new database without any schema.
    public func emptyDatabase() async throws -> TestDatabase {
        try await create(from: "template0", in: try await postgres())
    }

    /// A server of the caller's own, without a schema, for tests that stop it or give it settings of their own. It costs a
    /// second or two. Ends with this process at the latest.
    public func ownServer(settings: [String: String] = [:]) async throws -> PrivatePostgres {
        ownCount += 1
        let server = try await PrivatePostgres.start(
            TestDirectory.ownConfiguration(ownCount, settings: settings), logger: TestDatabase.silence)
        TestDirectory.removeAtExit(server)
        return server
    }

    private static func makeTemplate(_ postgres: PrivatePostgres) async throws {
        try await TestDatabase.run("CREATE DATABASE flux_template", in: postgres)
        let database = try Database(
            configuration: DatabaseConfiguration(
                url: postgres.url.replacingOccurrences(of: "dbname=flux", with: "dbname=flux_template"),
                connections: 1), logger: TestDatabase.silence)
        try await Migrator().migrate(database, logger: TestDatabase.silence)
        await database.close()
    }

    /// Databases are made one after the other: each is a copy of files, which the disk does no faster side by side, and a
    /// hundred tests that begin at once would wait for all of them.
    private func create(from template: String, in postgres: PrivatePostgres) async throws -> TestDatabase {
        count += 1
        let name = "test_\(count)"
        let former = latest
        let next = Task {
            _ = await former?.result
            try await TestDatabase.run("CREATE DATABASE \(name) TEMPLATE \(template)", in: postgres)
        }
        latest = next
        try await next.value
        return TestDatabase(url: postgres.url.replacingOccurrences(of: "dbname=flux", with: "dbname=\(name)"))
    }
}

/// A database that belongs to one test.
public struct TestDatabase: Sendable {
    /// Its connection string.
    public let url: String

    public init(url: String) { self.url = url }

    /// How to reach it, with few connections.
    public func configuration(_ applicationName: String = "flux/test", connections: Int = 2) -> DatabaseConfiguration {
        DatabaseConfiguration(url: url, applicationName: applicationName, connections: connections)
    }

    /// A pool over it.
    public func open(connections: Int = 2) throws -> Database {
        try Database(configuration: configuration(connections: connections), logger: TestDatabase.silence)
    }

    /// A logger that says nothing.
    public static var silence: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// Runs one command on the server itself. `CREATE DATABASE` cannot copy a database that somebody is connected to, and
    /// two cannot copy the same at once, so that is tried until it works.
    static func run(_ sql: String, in postgres: PrivatePostgres) async throws {
        let database = try Database(
            configuration: DatabaseConfiguration(url: postgres.url, connections: 1), logger: silence)
        let statement = Statement(PreparedQuery("test.command", sql, repeatable: false))
        try await runAgain(statement, on: database, attempts: 200)
        await database.close()
    }

    private static func runAgain(_ statement: Statement, on database: Database, attempts: Int) async throws {
        do {
            try await database.run(statement)
        } catch {
            guard case .refused("55006", _) = error, attempts > 0 else { throw error }
            try await Task.sleep(for: .milliseconds(25))
            try await runAgain(statement, on: database, attempts: attempts - 1)
        }
    }
}
