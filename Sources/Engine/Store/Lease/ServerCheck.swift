import FluxCore

/// Whether a Postgres server may be trusted with acknowledged writes, and how far its clock is from ours.
public struct ServerCheck: Sendable {
    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// Throws `StoreError.unsafeSettings` when the server would lose a commit that it has reported.
    public func requireDurability() async throws(StoreError) {
        let rows = try await database.run(Statement(ServerCheck.settings))
        for row in rows {
            let (name, value) = (try row.text("name"), try row.text("setting"))
            guard value == "off" else { continue }
            throw .unsafeSettings(
                setting: name, value: value,
                remedy: "set \(name) = on in postgresql.conf (or ALTER SYSTEM SET \(name) = on; a role or a database "
                    + "may have a setting of its own) and reload; without it a crash of the server loses messages "
                    + "that were acknowledged")
        }
    }

    /// How far the server's clock is ahead of `clock` (negative: behind). The error is at most half the returned round
    /// trip.
    public func clockOffset(
        _ clock: @Sendable () -> Timestamp = { Timestamp.now() }
    ) async throws(StoreError) -> (offset: Duration, roundTrip: Duration) {
        let before = clock()
        let rows = try await database.run(Statement(ServerCheck.time))
        let after = clock()
        guard let row = rows.first else { throw .corrupt("no time") }
        let server = try row.timestamp("time")
        let middle = before.microseconds + (after.microseconds - before.microseconds) / 2
        return (
            .microseconds(server.microseconds - middle), .microseconds(after.microseconds - before.microseconds)
        )
    }

    private static let settings = PreparedQuery(
        "server.settings",
        """
        SELECT name, setting FROM pg_settings
        WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit') ORDER BY name
        """)

    private static let time = PreparedQuery("server.time", "SELECT clock_timestamp() AS time")
}
