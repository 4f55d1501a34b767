/// Which run of which node this is.
public struct NodeIdentity: Sendable, Hashable, CustomStringConvertible {
    /// 10 bits, unique among the living nodes.
    public var node: UInt16
    /// Grows with every start of the node: what one incarnation held, the next has to acquire.
    public var incarnation: Int64

    public init(node: UInt16, incarnation: Int64) {
        self.node = node
        self.incarnation = incarnation
    }

    public var description: String { "\(node)/\(incarnation)" }

    /// What the connections of this incarnation are called in `pg_stat_activity`, followed by their role.
    public func applicationName(_ role: String) -> String { "flux/\(node)/\(incarnation)/\(role)" }
}
