import FluxTestSupport
import Foundation
import Testing

@testable import FluxStore

/// The private server: made, found again, adopted, restarted, stopped.
@Suite struct PrivatePostgresTests {
    @Test func servesMigratedDatabases() async throws {
        let database = try await TestPostgres.shared.database().open()
        let rows = try await database.run(
            Statement(PreparedQuery("count", "SELECT count(*) AS count FROM schema_migrations")))
        #expect(try rows[0].int("count") == Int64(Migration.all.count))
        try await ServerCheck(database).requireDurability()
        await database.close()
    }

    @Test(arguments: ["/var/lib/flux", "/srv/chat/data"])
    func theServerLiesInTheDataDirectoryUnlessItsUserCannotGetThere(_ directory: String) {
        let inside = ServerPlace(below: directory) { $0 == directory }
        #expect(inside.root == directory + "/postgres" && !inside.isElsewhere)
        let outside = ServerPlace(below: directory) { _ in false }
        #expect(outside.root.hasPrefix("/var/lib/flux/postgres-") && outside.isElsewhere)
        #expect(outside == ServerPlace(below: directory) { _ in false })
    }

    /// A service may be forbidden to make memory executable, and then what Postgres compiles fails.
    @Test func compilesNoQueries() async throws {
        let database = try await TestPostgres.shared.database().open()
        let rows = try await database.run(
            Statement(PreparedQuery("jit", "SELECT current_setting('jit') AS jit, pg_jit_available() AS available")))
        #expect(try rows[0].text("jit") == "off" && !rows[0].bool("available"))
        await database.close()
    }

    /// Else a server that outlives us, as it is meant to, would keep our clients' connections open.
    @Test func programsGetNothingOfOursButTheStandardDescriptors() async throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let outcome = try await onThread("test-command") { () throws(StoreError) in
            try Command("/bin/ls", ["/proc/self/fd"]).run()
        }
        // The fourth is the directory that is being listed.
        #expect(outcome.output.split(separator: "\n") == ["0", "1", "2", "3"])
    }
}
