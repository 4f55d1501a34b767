/// What sort of actor an address means. The cluster routes by it and does not know what it stands for.
public struct ActorKind: RawRepresentable, Hashable, Sendable, WireCodable {
    /// The number that stands in addresses; never changes its meaning.
    public let rawValue: UInt8

    /// The kind with the given number.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// One byte.
    public func encode(to writer: inout WireWriter) { writer.byte(rawValue) }
    /// Reads one byte.
    public init(from reader: inout WireReader) throws(WireError) { rawValue = try reader.byte() }
}
