import FluxTestSupport
import Testing

@testable import FluxStore

/// A server that would lose what it has reported committed is refused by name, with what to do.
struct ServerCheckTests {
    @Test(arguments: ["fsync", "full_page_writes", "synchronous_commit"]) func unsafeSettingsAreRefused(_ name: String)
        async throws
    {
        let server = try await TestPostgres.shared.ownServer(settings: [name: "off"])
        let database = try TestDatabase(url: server.url).open(connections: 1)
        let error = await storeError { try await ServerCheck(database).requireDurability() }
        guard case .unsafeSettings(name, "off", let remedy) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(remedy.contains("\(name) = on"))
        await database.close()
        try await server.stop(.immediate)
    }

    /// A role's own setting counts: it is what the lanes get.
    @Test func aSettingOfTheDatabaseIsSeen() async throws {
        let test = try await TestPostgres.shared.database()
        let database = try test.open(connections: 1)
        try await ServerCheck(database).requireDurability()
        let set = PreparedQuery(
            "test.set",
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$")
        try await database.run(Statement(set))
        await database.close()
        let again = try test.open(connections: 1)
        let error = await storeError { try await ServerCheck(again).requireDurability() }
        guard case .unsafeSettings("synchronous_commit", "off", _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        await again.close()
    }
}
