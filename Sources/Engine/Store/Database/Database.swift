import Foundation
import Logging
import NIOConcurrencyHelpers
import Synchronization

/// The pool of connections to Postgres for everything that is not a lane: reads, and writes that no slot orders.
///
/// Each connection has a thread of its own with blocking calls, so no thread of Swift's cooperative pool ever waits for
/// Postgres. A call waits at most its deadline, from the moment it is made; the queue of waiting calls is bounded
/// (`StoreError.overloaded`). Connections that die are replaced, also idle ones. A repeatable query (a SELECT) whose
/// connection died under it is run again within its deadline, so that a restart of Postgres only delays it.
public final class Database: Sendable {
    private let pool: Pool
    private let calls = Atomic<Int>(0)

    /// A pool over `configuration`; it connects by itself, now and whenever a connection is lost.
    public init(configuration: DatabaseConfiguration, logger: Logger) throws(StoreError) {
        pool = try Pool(configuration: configuration, logger: logger)
        pool.start()
    }

    deinit { pool.close() }

    /// Runs one statement in a transaction of its own.
    @discardableResult
    public func run(_ statement: Statement, timeout: Duration? = nil) async throws(StoreError) -> Rows {
        try await perform(repeatable: statement.query.isRepeatable, timeout: timeout) {
            connection, deadline throws(StoreError) in
            let result = try connection.run([statement], until: deadline)
            if let failure = result.failure { throw failure.error }
            guard let rows = result.rows.first else { throw .corrupt("\(statement.query.name): no answer") }
            return rows
        }
    }

    /// Runs `statements` in one pipeline and one transaction, all or nothing, and returns the rows of each.
    @discardableResult
    public func transaction(_ statements: [Statement], timeout: Duration? = nil) async throws(StoreError) -> [Rows] {
        let repeatable = statements.allSatisfy(\.query.isRepeatable)
        return try await perform(repeatable: repeatable, timeout: timeout) { connection, deadline throws(StoreError) in
            let result = try connection.run([.begin] + statements + [.commit], until: deadline)
            guard let failure = result.failure else { return Array(result.rows.dropFirst().dropLast()) }
            try connection.rollBack(until: deadline)
            throw failure.error
        }
    }

    /// Runs `body` in one transaction, for statements that depend on each other's answers. `body` runs on the
    /// connection's thread and must not wait for anything else; when it throws, the transaction is rolled back.
    @discardableResult
    public func transaction<Result: Sendable>(
        timeout: Duration? = nil,
        _ body: @escaping @Sendable (borrowing Transaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        try await perform(repeatable: false, timeout: timeout) { connection, deadline throws(StoreError) in
            try connection.transaction(until: deadline, body)
        }
    }

    /// Calls that were made since the start: round trips, each of one statement or of many in one pipeline.
    public var callCount: Int { calls.load(ordering: .relaxed) }

    /// Connections that are alive at this moment; 0 means that Postgres is away.
    public var connectedCount: Int { pool.connectedCount }

    /// Calls that wait for a connection.
    public var waitingCount: Int { pool.waitingCount }

    /// Refuses new calls, lets those under way finish, closes the connections, and returns when the threads have ended.
    public func close() async {
        pool.close()
        await withCheckedContinuation { continuation in pool.whenEnded { continuation.resume() } }
    }

    private func perform<Value: Sendable>(
        repeatable: Bool, timeout: Duration?,
        _ body: @escaping @Sendable (Connection, ContinuousClock.Instant) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        calls.wrappingAdd(1, ordering: .relaxed)
        let deadline = ContinuousClock.now + (timeout ?? pool.configuration.callTimeout)
        // The answer goes by way of a lock, beside the continuation: that one may be resumed before the task waits for it, and then
        // Thread Sanitizer does not see that the thread wrote before the task reads.
        let answer = NIOLockedValueBox<Result<Value, StoreError>>(.failure(.closed))
        await withCheckedContinuation { continuation in
            pool.submit(
                PoolJob(
                    deadline: deadline, isRepeatable: repeatable,
                    run: { connection, deadline throws(StoreError) in
                        let value = try body(connection, deadline)
                        answer.withLockedValue { $0 = .success(value) }
                        continuation.resume()
                    },
                    fail: { error in
                        answer.withLockedValue { $0 = .failure(error) }
                        continuation.resume()
                    }))
        }
        return try answer.withLockedValue { $0 }.get()
    }
}
