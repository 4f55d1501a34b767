/// Who a process is in the cluster.
///
/// The same name after a restart is the same member with a higher incarnation; what an earlier incarnation held is no
/// longer its own.
public struct NodeIdentity: Hashable, Sendable, WireCodable {
    /// What people call the node; unique in the cluster.
    public let name: String
    /// The node's number.
    public let id: NodeID
    /// Grows by one at every start of the process.
    public let incarnation: Int64

    /// An identity from its parts.
    public init(name: String, id: NodeID, incarnation: Int64) {
        self.name = name
        self.id = id
        self.incarnation = incarnation
    }

    /// A record of name, number and incarnation.
    public func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.string(name)
            fields.value(id)
            fields.signed(incarnation)
        }
    }

    /// Reads a record of name, number and incarnation.
    public init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            NodeIdentity(name: try fields.string(), id: try fields.value(), incarnation: try fields.signed())
        }
    }
}
