import Dispatch
import FluxTestSupport
import Testing

@testable import FluxStore

/// The pool's connections die and come back; its callers notice a delay at most.
@Suite(.timeLimit(.minutes(2))) struct PoolTests {
    private static let insert = PreparedQuery("test.insert", "INSERT INTO remarks VALUES (1)")

    @Test func idleConnectionsThatDiedAreReplacedBeforeTheyAreUsed() async throws {
        let test = try await TestPostgres.shared.database()
        let (database, killer) = (try test.open(connections: 3), try test.open(connections: 1))
        try await database.run(Statement(PreparedQuery("test.table", "CREATE TABLE remarks (n int)")))
        for _ in 0..<10 {
            // Not repeatable: it would be told unavailable if a dead connection were given the statement.
            for _ in 0..<6 { try await database.run(Statement(Self.insert)) }
            let former = try await LanePoolTests.backends(killer, named: "flux/test")
            try await LaneFixture.endBackends(killer, named: "flux/test")
            // All but the killer's own are gone, and the pool has others in their place.
            while true {
                let present = try await LanePoolTests.backends(killer, named: "flux/test")
                if present.count >= 4, present.intersection(former).count == 1 { break }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        await database.close()
        await killer.close()
    }

    @Test func readsAreRepeatedWhenTheirConnectionIsEnded() async throws {
        let test = try await TestPostgres.shared.database()
        let (database, killer) = (try test.open(connections: 2), try test.open(connections: 1))
        let slow = PreparedQuery("test.slow", "SELECT 1 AS one FROM pg_sleep(0.05)")
        let reading = Task {
            for _ in 0..<20 { _ = try await database.run(Statement(slow)) }
        }
        for _ in 0..<8 {
            try await LaneFixture.endBackends(killer, named: "flux/test")
            try await Task.sleep(for: .milliseconds(30))
        }
        try await reading.value
        await database.close()
        await killer.close()
    }

    /// What a node has locked that was cut off, or that its operator has stopped, is not locked for ever.
    @Test func aTransactionThatDoesNotGoOnIsEnded() async throws {
        let test = try await TestPostgres.shared.database()
        var configuration = test.configuration(connections: 1)
        configuration.idleTransactionTimeout = .milliseconds(100)
        let stalling = try Database(configuration: configuration, logger: TestDatabase.silence)
        let other = try test.open(connections: 1)
        try await other.run(Statement(PreparedQuery("test.table", "CREATE TABLE remarks (n int)")))
        try await other.run(Statement(Self.insert))
        let (stall, hasStalled) = (DispatchSemaphore(value: 0), AsyncStream<Void>.makeStream())
        let update = PreparedQuery("test.update", "UPDATE remarks SET n = n + 1")
        async let error = storeError {
            try await stalling.transaction { transaction throws(StoreError) in
                try transaction.run(Statement(update))
                hasStalled.continuation.yield()
                stall.wait()
            }
        }
        for await _ in hasStalled.stream { break }
        try await other.run(Statement(update))
        stall.signal()
        guard case .unavailable = await error else {
            Issue.record("\(String(describing: await error))")
            return
        }
        let count = try await other.run(Statement(PreparedQuery("test.count", "SELECT n FROM remarks")))
        #expect(try count[0].integer("n", as: Int.self) == 2)
        await stalling.close()
        await other.close()
    }

    /// A table changes its form under a prepared query: the query is prepared again instead of failing for ever.
    @Test func aQueryWhoseResultChangedIsPreparedAgain() async throws {
        let database = try await TestPostgres.shared.database().open(connections: 1)
        try await database.run(Statement(PreparedQuery("test.table", "CREATE TABLE remarks (n int)")))
        let read = Statement(PreparedQuery("test.all", "SELECT * FROM remarks"))
        _ = try await database.run(read)
        try await database.run(Statement(PreparedQuery("test.alter", "ALTER TABLE remarks ADD COLUMN m int")))
        _ = await storeError { _ = try await database.run(read) }
        _ = try await database.run(read)
        await database.close()
    }

    @Test func aPipelineWithTwoQueriesOfOneNameLeavesTheConnectionInOrder() async throws {
        let test = try await TestPostgres.shared.database()
        let database = try test.open(connections: 1)
        let (one, two) = (PreparedQuery("test.same", "SELECT 1 AS n"), PreparedQuery("test.same", "SELECT 2 AS n"))
        let error = await storeError { try await database.transaction([Statement(one), Statement(two)]) }
        guard case .invalid = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try await database.run(Statement(one))[0].integer("n", as: Int.self) == 1)
        await database.close()
    }
}
