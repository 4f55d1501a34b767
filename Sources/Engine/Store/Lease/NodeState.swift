/// What was said about a node's place in the cluster: the column `nodes.state`.
public enum NodeState: String, Sendable, CaseIterable {
    /// Takes part in everything.
    case active
    /// Gives its slots away and gets no new ones.
    case draining
    /// Has gone in good order; its slots are free.
    case left
    /// Must not come back; its slots are free.
    case removed
}

/// One row of the table of nodes.
public struct NodeRow: Sendable, Equatable {
    /// Number and latest incarnation.
    public var identity: NodeIdentity
    /// Its name.
    public var name: String
    /// Where the others reach it.
    public var address: String
    /// Its share of the slots.
    public var weight: Double
    /// Its place.
    public var state: NodeState
    /// Whether its last heartbeat is young enough, by Postgres's clock.
    public var isLive: Bool

    /// A row from its columns.
    public init(
        identity: NodeIdentity, name: String, address: String, weight: Double, state: NodeState, isLive: Bool
    ) {
        self.identity = identity
        self.name = name
        self.address = address
        self.weight = weight
        self.state = state
        self.isLive = isLive
    }
}
