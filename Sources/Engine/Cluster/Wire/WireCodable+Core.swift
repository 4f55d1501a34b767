import FluxCore

extension Snowflake: WireCodable {
    /// The raw value as a varint.
    public func encode(to writer: inout WireWriter) { writer.unsigned(rawValue) }
    /// Reads a varint.
    public init(from reader: inout WireReader) throws(WireError) { self.init(try reader.unsigned()) }
}

extension Slot: WireCodable {
    /// The slot's number as a varint.
    public func encode(to writer: inout WireWriter) { writer.unsigned(rawValue) }
    /// Reads a number and refuses one that is no slot.
    public init(from reader: inout WireReader) throws(WireError) {
        guard let slot = Slot(rawValue: try reader.unsigned()) else { throw .malformed("no such slot") }
        self = slot
    }
}

extension Timestamp: WireCodable {
    /// Microseconds since 1970 as a zigzag varint.
    public func encode(to writer: inout WireWriter) { writer.signed(microseconds) }
    /// Reads a zigzag varint.
    public init(from reader: inout WireReader) throws(WireError) {
        self.init(microseconds: try reader.signed())
    }
}
