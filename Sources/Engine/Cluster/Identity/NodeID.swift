/// A node's number: 10 bits, given at the join, unique among the living. It is part of every id that the node mints.
public struct NodeID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible, WireCodable {
    /// How many numbers there are.
    public static let count = 1024

    /// 0 to 1,023.
    public let rawValue: UInt16

    /// Nil above 1,023.
    public init?(rawValue: UInt16) {
        guard rawValue < Self.count else { return nil }
        self.rawValue = rawValue
    }

    /// The number in decimal.
    public var description: String { String(rawValue) }

    /// Orders by number.
    public static func < (left: NodeID, right: NodeID) -> Bool {
        left.rawValue < right.rawValue
    }

    /// A varint.
    public func encode(to writer: inout WireWriter) { writer.unsigned(rawValue) }

    /// Reads a number and refuses one above 1,023.
    public init(from reader: inout WireReader) throws(WireError) {
        guard let node = NodeID(rawValue: try reader.unsigned()) else { throw .malformed("no such node") }
        self = node
    }
}
