/// A member as a node that joins learns of it.
public struct JoinMember: WireCodable, Equatable {
    /// Its name.
    public var name: String
    /// Its number.
    public var node: NodeID
    /// Where it can be reached.
    public var address: PeerAddress

    /// A member from its parts.
    public init(name: String, node: NodeID, address: PeerAddress) {
        self.name = name
        self.node = node
        self.address = address
    }

    /// A record of name, number and address.
    public func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.string(name)
            fields.value(node)
            fields.value(address)
        }
    }

    /// Reads a record of name, number and address.
    public init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            JoinMember(name: try fields.string(), node: try fields.value(), address: try fields.value())
        }
    }
}
