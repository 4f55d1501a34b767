/// A member of the cluster as its row in Postgres describes it. Who the members are is decided there; who of them is
/// alive is found out by `Membership`.
public struct ClusterMember: Hashable, Sendable {
    /// What the operator, or the node itself, has said about its place.
    public enum Standing: Sendable {
        /// Takes part in everything.
        case active
        /// Gives its slots away and gets no new ones.
        case draining
        /// Is no member any more until it starts again.
        case left
    }

    /// Name, number and latest incarnation.
    public var identity: NodeIdentity
    /// Where its cluster port is.
    public var address: String
    /// Its share of the slots, relative to the others'.
    public var weight: Double
    /// What was said about its place.
    public var standing: Standing

    /// A row from its columns.
    public init(identity: NodeIdentity, address: String, weight: Double = 1, standing: Standing = .active) {
        self.identity = identity
        self.address = address
        self.weight = weight
        self.standing = standing
    }
}
