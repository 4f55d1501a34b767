import FluxCluster
import FluxCore
import FluxStore
import Logging

/// What a node's part in the cluster stands on.
public struct ClusterFoundations: Sendable {
    /// The engine, which was not started yet.
    public var realtime: Realtime
    /// A connection for heartbeats alone.
    public var heartbeats: Database
    /// Connections for leases and verdicts.
    public var leases: Database
    /// The way to the other nodes, attached to the engine's actor system; nil for a node that runs alone.
    public var links: LinkTransport?
    /// What the links tell.
    public var watch = LinkWatch()
    /// Hears what the node has to know of it.
    public var events = ClusterEvents()
    /// Where it is logged.
    public var logger: Logger

    /// Foundations with the defaults for everything else.
    public init(realtime: Realtime, heartbeats: Database, leases: Database, logger: Logger) {
        self.realtime = realtime
        self.heartbeats = heartbeats
        self.leases = leases
        self.logger = logger
    }
}

/// What a node hears of its part in the cluster. From one thread, in order; must not block.
public struct ClusterEvents: Sendable {
    /// The node is not fit to serve for this reason, or no more.
    public var unready: @Sendable (UnreadyReason, Bool) -> Void = { _, _ in }
    /// The node gives everything that it has to others, or does so no more: it is to get no traffic meanwhile. Not when there are
    /// no others.
    public var draining: @Sendable (Bool) -> Void = { _ in }
    /// Ids are reserved up to this moment, in milliseconds since 1970.
    public var reserved: @Sendable (Int64) -> Void = { _ in }
    /// Another process runs as this node, or it was removed: this process has to end. Once.
    public var superseded: @Sendable () -> Void = {}

    /// Nobody hears anything.
    public init() {}
}
