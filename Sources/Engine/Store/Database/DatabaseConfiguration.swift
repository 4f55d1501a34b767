/// Where Postgres is and how it is used.
public struct DatabaseConfiguration: Sendable {
    /// A libpq connection string: `postgres://user:password@host:port/database` or `host=/run/… dbname=…`. It may hold a
    /// password and is never logged.
    public var url: String
    /// Names this process in `pg_stat_activity`, so that a taker can end the backends of a dead incarnation.
    public var applicationName: String
    /// Connections, each with a thread of its own.
    public var connections: Int = 4
    /// Calls that may wait for a connection; the next is refused with `StoreError.overloaded`.
    public var waitingLimit: Int = 4096
    /// Time to make a connection.
    public var connectTimeout: Duration = .seconds(3)
    /// A call's deadline where it names none: waiting, running and repeating together.
    public var callTimeout: Duration = .seconds(10)
    /// Bytes that the peer has not acknowledged for this long mean that the connection is dead (`tcp_user_timeout`).
    public var unacknowledgedTimeout: Duration = .seconds(5)
    /// A transaction whose next statement does not come for this long is ended by the server, with its locks: as long as a
    /// heartbeat lives, so what a node that is cut off has locked is free when its slots are.
    public var idleTransactionTimeout: Duration = .seconds(3)
    /// First pause before a connection is made again; doubles up to `longestBackoff`, each with jitter.
    public var shortestBackoff: Duration = .milliseconds(50)
    public var longestBackoff: Duration = .seconds(2)

    /// The database at `url`, with defaults for the rest.
    public init(url: String, applicationName: String = "flux", connections: Int = 4) {
        self.url = url
        self.applicationName = applicationName
        self.connections = connections
    }
}
