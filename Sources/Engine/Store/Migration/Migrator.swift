import Logging

/// Brings the schema of a database to what this version needs, or refuses to touch it.
///
/// Everything happens in one transaction under an advisory lock: nodes that start together wait for one another, and a
/// step that fails leaves the schema as it was. Steps that are in already must be, byte for byte, the ones that this
/// program holds. Steps that this program does not know were applied by a newer one; they are accepted when they say that a
/// program which knows no more than this one works beside them (I10), and refused otherwise (`StoreError.schema`).
public struct Migrator: Sendable {
    private let migrations: [Migration]

    public init() { self.init(migrations: Migration.all) }

    init(migrations: [Migration]) { self.migrations = migrations }

    /// Applies what is missing. Returns the numbers of the steps that were applied now.
    @discardableResult
    public func migrate(_ database: Database, logger: Logger) async throws(StoreError) -> [Int] {
        let migrations = migrations
        // Long: another node may be at it, and a step may rewrite a large table.
        return try await database.transaction(timeout: .seconds(1800)) { transaction throws(StoreError) in
            try transaction.run(Statement(Migrator.lock))
            try transaction.run(Statement(Migrator.createTable))
            try transaction.run(Statement(Migrator.addOldestReader))
            let applied = try Migrator.check(migrations, in: transaction)
            var now: [Int] = []
            for migration in migrations where !applied.contains(migration.number) {
                logger.info("schema: applying \(migration.number) \(migration.name)")
                do throws(StoreError) {
                    try transaction.runScript(migration.sql)
                } catch .refused(_, let message) {
                    throw .schema("step \(migration.number) \(migration.name) failed: \(message)")
                }
                try transaction.run(
                    Statement(
                        Migrator.record,
                        [
                            .int(migration.number), .text(migration.name), .bytes(migration.sql),
                            .int(migration.oldestReader),
                        ]))
                now.append(migration.number)
            }
            return now
        }
    }

    /// Compares what is in the database with `migrations`. Returns the numbers of what is in.
    private static func check(_ migrations: [Migration], in transaction: borrowing Transaction) throws(StoreError)
        -> Set<Int>
    {
        let numbers = migrations.map { Int64($0.number) }
        let rows = try transaction.run(
            Statement(applied, [.intArray(numbers), .bytesArray(migrations.map(\.sql))]))
        let newest = migrations.last?.number ?? 0
        var present: Set<Int> = []
        for row in rows {
            let (number, name) = (try row.integer("number", as: Int.self), try row.text("name"))
            guard try !row.isNull("is_same") else {
                if try row.integer("oldest_reader", as: Int.self) <= newest { continue }
                throw .schema(
                    "the database has step \(number) (\(name)), which this version does not know: it was written by a "
                        + "newer version that does not work beside this one; run that one, or restore a backup from before the upgrade"
                )
            }
            guard try row.bool("is_same") else {
                throw .schema(
                    "step \(number) (\(name)) was applied with another content than this version has; "
                        + "use the version that made this database")
            }
            present.insert(number)
        }
        return present
    }

    /// Any number that nobody else uses for an advisory lock.
    private static let lock = PreparedQuery("migrator.lock", "SELECT pg_advisory_xact_lock(6033414)")

    private static let createTable = PreparedQuery(
        "migrator.createTable",
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            number integer PRIMARY KEY,
            name text NOT NULL,
            checksum bytea NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now())
        """)

    private static let addOldestReader = PreparedQuery(
        "migrator.addOldestReader", "ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS oldest_reader integer")

    private static let applied = PreparedQuery(
        "migrator.applied",
        """
        SELECT applied.number, applied.name, applied.checksum = sha256(known.content) AS is_same,
            coalesce(applied.oldest_reader, applied.number) AS oldest_reader
        FROM schema_migrations AS applied
        LEFT JOIN unnest($1, $2) AS known (number, content) ON known.number = applied.number
        ORDER BY applied.number
        """, [.int8Array, .byteaArray])

    private static let record = PreparedQuery(
        "migrator.record",
        "INSERT INTO schema_migrations (number, name, checksum, oldest_reader) VALUES ($1, $2, sha256($3), $4)",
        [.int4, .text, .bytea, .int4])
}
