import FluxTestSupport
import Testing

@testable import FluxStore

/// The schema is brought forward once, and versions that may run side by side do (I10).
@Suite struct MigratorTests {
    private static func step(_ number: Int, _ sql: String, oldestReader: Int? = nil) -> Migration {
        Migration(number, "step\(number)", Array(sql.utf8), oldestReader: oldestReader)
    }

    private static let first = step(1, "CREATE TABLE one (id bigint)")
    private static let expands = step(2, "ALTER TABLE one ADD COLUMN name text")
    private static let contracts = step(3, "ALTER TABLE one DROP COLUMN id", oldestReader: 2)

    private func migrate(_ database: Database, _ steps: [Migration]) async throws -> [Int] {
        try await Migrator(migrations: steps).migrate(database, logger: TestDatabase.silence)
    }

    private func withDatabase(_ body: (Database) async throws -> Void) async throws {
        let database = try await TestPostgres.shared.emptyDatabase().open(connections: 4)
        do { try await body(database) } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    @Test func everyStepIsAppliedOnce() async throws {
        try await withDatabase { database in
            let applied1 = try await migrate(database, [Self.first])
            #expect(applied1 == [1])
            let applied2 = try await migrate(database, [Self.first, Self.expands])
            #expect(applied2 == [2])
            let applied3 = try await migrate(database, [Self.first, Self.expands])
            #expect(applied3.isEmpty)
        }
    }

    @Test func nodesThatStartTogetherApplyEachStepOnce() async throws {
        try await withDatabase { database in
            let applied = try await withThrowingTaskGroup(of: [Int].self) { group in
                for _ in 0..<4 { group.addTask { try await migrate(database, [Self.first, Self.expands]) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied.sorted() == [1, 2])
        }
    }

    @Test func anOlderVersionRunsOnAnExpandedSchemaAndNotOnOneThatTookAwayWhatItUses() async throws {
        try await withDatabase { database in
            _ = try await migrate(database, [Self.first, Self.expands])
            // Version 1 is started again while version 2 is being rolled out.
            let applied4 = try await migrate(database, [Self.first])
            #expect(applied4.isEmpty)
            let applied5 = try await migrate(database, [Self.first, Self.expands, Self.contracts])
            #expect(applied5 == [3])
            let applied6 = try await migrate(database, [Self.first, Self.expands])
            #expect(applied6.isEmpty)
            await #expect(throws: StoreError.self) { try await migrate(database, [Self.first]) }
        }
    }

    @Test func aStepWithOtherContentIsRefused() async throws {
        try await withDatabase { database in
            _ = try await migrate(database, [Self.first])
            await #expect(throws: StoreError.self) {
                try await migrate(database, [Self.step(1, "CREATE TABLE other (id bigint)")])
            }
        }
    }

    @Test func aStepThatFailsLeavesNothing() async throws {
        try await withDatabase { database in
            await #expect(throws: StoreError.self) {
                try await migrate(database, [Self.first, Self.step(2, "CREATE TABLE two (id nonsense)")])
            }
            let applied7 = try await migrate(database, [Self.first])
            #expect(applied7 == [1])
        }
    }

    @Test func allStepsAreNumberedWithoutGapsAndNameAReaderThatExisted() {
        #expect(Migration.all.map(\.number) == Array(1...Migration.all.count))
        for step in Migration.all { #expect(step.oldestReader < step.number && step.oldestReader >= 0) }
    }
}
