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
