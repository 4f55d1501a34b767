extension Bool: WireCodable {
    /// One byte, 0 or 1.
    public func encode(to writer: inout WireWriter) { writer.bool(self) }
    /// Reads one byte, 0 or 1.
    public init(from reader: inout WireReader) throws(WireError) { self = try reader.bool() }
}

extension UInt8: WireCodable {
    /// One byte as it is.
    public func encode(to writer: inout WireWriter) { writer.byte(self) }
    /// Reads one byte.
    public init(from reader: inout WireReader) throws(WireError) { self = try reader.byte() }
}

extension UInt16: WireCodable {
    /// A varint.
    public func encode(to writer: inout WireWriter) { writer.unsigned(self) }
    /// Reads a varint in range.
    public init(from reader: inout WireReader) throws(WireError) { self = try reader.unsigned() }
}

extension UInt32: WireCodable {
    /// A varint.
    public func encode(to writer: inout WireWriter) { writer.unsigned(self) }
    /// Reads a varint in range.
    public init(from reader: inout WireReader) throws(WireError) { self = try reader.unsigned() }
}

extension UInt64: WireCodable {
    /// A varint.
    public func encode(to writer: inout WireWriter) { writer.unsigned(self) }
    /// Reads a varint.
    public init(from reader: inout WireReader) throws(WireError) { self = try reader.unsigned() }
}

extension Int: WireCodable {
    /// A zigzag varint.
    public func encode(to writer: inout WireWriter) { writer.signed(self) }
    /// Reads a zigzag varint.
    public init(from reader: inout WireReader) throws(WireError) { self = try reader.signed() }
}

extension Int32: WireCodable {
    /// A zigzag varint.
    public func encode(to writer: inout WireWriter) { writer.signed(self) }
    /// Reads a zigzag varint in range.
    public init(from reader: inout WireReader) throws(WireError) { self = try reader.signed() }
}

extension Int64: WireCodable {
    /// A zigzag varint.
    public func encode(to writer: inout WireWriter) { writer.signed(self) }
    /// Reads a zigzag varint.
    public init(from reader: inout WireReader) throws(WireError) { self = try reader.signed() }
}

extension Double: WireCodable {
    /// Eight bytes.
    public func encode(to writer: inout WireWriter) { writer.double(self) }
    /// Reads eight bytes.
    public init(from reader: inout WireReader) throws(WireError) { self = try reader.double() }
}

extension String: WireCodable {
    /// UTF-8 behind its length.
    public func encode(to writer: inout WireWriter) { writer.string(self) }
    /// Reads UTF-8 behind its length.
    public init(from reader: inout WireReader) throws(WireError) { self = try reader.string() }
}

extension Optional: WireCodable where Wrapped: WireCodable {
    /// A byte 0, or a byte 1 and the value.
    public func encode(to writer: inout WireWriter) { writer.optional(self) }
    /// Reads what `encode` wrote.
    public init(from reader: inout WireReader) throws(WireError) { self = try reader.optional(Wrapped.self) }
}

extension Array: WireCodable where Element: WireCodable {
    /// The count and the elements; byte arrays are copied as a whole, which gives the same bytes.
    public func encode(to writer: inout WireWriter) {
        if let bytes = self as? [UInt8] {
            writer.byteArray(bytes)
        } else {
            writer.list(self)
        }
    }

    /// Reads what `encode` wrote.
    public init(from reader: inout WireReader) throws(WireError) {
        if Element.self == UInt8.self, let bytes = try reader.byteArray() as? [Element] {
            self = bytes
        } else {
            self = try reader.list(of: Element.self)
        }
    }
}

/// No value: what calls without arguments or without a reply carry.
public struct Nothing: WireCodable, Hashable {
    /// The only value.
    public init() {}
    /// Writes nothing.
    public func encode(to writer: inout WireWriter) {}
    /// Reads nothing.
    public init(from reader: inout WireReader) throws(WireError) {}
}
