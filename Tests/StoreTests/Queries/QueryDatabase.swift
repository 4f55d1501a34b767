import FluxStore
import FluxTestSupport

/// Runs `body` on an empty database with the whole schema, on a real server.
func withDatabase(_ body: (Database) async throws -> Void) async throws {
    let database = try await TestPostgres.shared.database().open(connections: 3)
    do {
        try await body(database)
    } catch {
        await database.close()
        throw error
    }
    await database.close()
}
