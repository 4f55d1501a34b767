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
}
