import Logging

/// The pool of connections to Postgres for everything that is not a lane: reads, and writes that no slot orders.
///
/// Each connection has a thread of its own with blocking calls, so no thread of Swift's cooperative pool ever waits for
/// Postgres. A call waits at most its deadline, from the moment it is made; the queue of waiting calls is bounded.
/// Connections that die are replaced, also idle ones.
public final class Database: Sendable {
    /// A pool over `configuration`; it connects by itself, now and whenever a connection is lost.
    public init(configuration: DatabaseConfiguration, logger: Logger) {}

    /// Runs one statement in a transaction of its own.
    public func run(_ statement: Statement, timeout: Duration? = nil) async throws(StoreError) -> Rows {
        throw .closed
    }

    /// Runs `statements` in one pipeline and one transaction, all or nothing, and returns the rows of each.
    public func transaction(_ statements: [Statement], timeout: Duration? = nil) async throws(StoreError) -> [Rows] {
        throw .closed
    }

    /// Runs `body` in one transaction, for statements that depend on each other's answers. `body` runs on the
    /// connection's thread and must not wait for anything else; when it throws, the transaction is rolled back.
    public func transaction<Result: Sendable>(
        timeout: Duration? = nil,
        _ body: @escaping @Sendable (borrowing Transaction) throws(StoreError) -> Result
    ) async throws(StoreError) -> Result {
        throw .closed
    }

    /// Refuses new calls, lets those under way finish, and closes the connections.
    public func close() async {}
}

/// An open transaction on one connection, for the duration of a `Database.transaction` body.
public struct Transaction: ~Copyable {
    /// Runs one statement and waits for its answer, on the connection's own thread.
    public func run(_ statement: Statement) throws(StoreError) -> Rows {
        throw .closed
    }
}
