/// Reads the cluster's binary encoding; the counterpart of `WireWriter`.
///
/// Total: every read either gives a value or throws a `WireError`, and memory taken is bounded by the input's size times
/// the size of the elements it claims. Numbers must be in their shortest form, so that a value has one encoding.
public struct WireReader: Sendable {
    /// The version that the writer of these bytes spoke.
    public let version: WireVersion
    private let bytes: [UInt8]
    private let limits: WireLimits
    private var position: Int
    private var end: Int
    private var depth = 0

    /// A reader at the beginning of the bytes.
    public init(_ bytes: [UInt8], version: WireVersion = .oldest, limits: WireLimits = WireLimits()) {
        self.bytes = bytes
        self.version = version
        self.limits = limits
        position = 0
        end = bytes.count
    }

    /// True when everything (of the record, inside one) has been read.
    public var isAtEnd: Bool { position >= end }

    /// How many bytes (of the record, inside one) have not been read.
    public var remaining: Int { end - position }

    /// One byte.
    public mutating func byte() throws(WireError) -> UInt8 {
        guard position < end else { throw .truncated }
        defer { position += 1 }
        return bytes[position]
    }

    /// An unsigned number that fits in `Value`.
    public mutating func unsigned<Value: FixedWidthInteger & UnsignedInteger>(
        _ type: Value.Type = Value.self
    ) throws(WireError) -> Value {
        guard let value = Value(exactly: try varint()) else { throw .malformed("number out of range") }
        return value
    }

    /// A signed number that fits in `Value`.
    public mutating func signed<Value: FixedWidthInteger & SignedInteger>(
        _ type: Value.Type = Value.self
    ) throws(WireError) -> Value {
        let zigzag = try varint()
        let wide = Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
        guard let value = Value(exactly: wide) else { throw .malformed("number out of range") }
        return value
    }

    /// A truth value.
    public mutating func bool() throws(WireError) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        default: throw .malformed("truth value is neither 0 nor 1")
        }
    }

    /// A floating point number; any bit pattern is accepted.
    public mutating func double() throws(WireError) -> Double {
        guard remaining >= 8 else { throw .truncated }
        var pattern: UInt64 = 0
        for index in (0..<8).reversed() {
            pattern = pattern << 8 | UInt64(bytes[position + index])
        }
        position += 8
        return Double(bitPattern: pattern)
    }

    /// Bytes behind their length.
    public mutating func byteArray() throws(WireError) -> [UInt8] {
        let length = try self.length()
        defer { position += length }
        return Array(bytes[position..<(position + length)])
    }

    /// Text behind its length; refused unless it is UTF-8.
    public mutating func string() throws(WireError) -> String {
        let length = try self.length()
        guard let text = String(validating: bytes[position..<(position + length)], as: UTF8.self) else {
            throw .malformed("text is not UTF-8")
        }
        position += length
        return text
    }

    /// Another value, as it reads itself.
    public mutating func value<Value: WireCodable>(_ type: Value.Type = Value.self) throws(WireError) -> Value {
        guard depth < limits.maximumDepth else { throw .limitExceeded("depth") }
        depth += 1
        defer { depth -= 1 }
        return try Value(from: &self)
    }

    /// A value that may be missing.
    public mutating func optional<Value: WireCodable>(_ type: Value.Type = Value.self) throws(WireError) -> Value? {
        // The type is spelled out: an optional is a value too, and would be inferred here.
        try bool() ? try value(Value.self) : nil
    }

    /// Values behind their count.
    public mutating func list<Value: WireCodable>(of type: Value.Type = Value.self) throws(WireError) -> [Value] {
        let count = try varint()
        guard count <= UInt64(limits.maximumElementCount) else { throw .limitExceeded("elements") }
        guard count <= UInt64(remaining) else { throw .truncated }
        var values: [Value] = []
        values.reserveCapacity(min(Int(count), 256))
        for _ in 0..<count {
            values.append(try value())
        }
        return values
    }

    /// The fields of a record: inside, the input ends where the record does; afterwards the reader stands behind it,
    /// whatever of it was read, also when reading it failed: who catches that goes on with what follows.
    public mutating func record<Value>(
        _ fields: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> Value {
        guard remaining >= 4 else { throw .truncated }
        var length = 0
        for index in (0..<4).reversed() {
            length = length << 8 | Int(bytes[position + index])
        }
        position += 4
        guard length <= remaining else { throw .truncated }
        let (outerEnd, recordEnd) = (end, position + length)
        end = recordEnd
        defer { (position, end) = (recordEnd, outerEnd) }
        return try fields(&self)
    }

    /// All that is left, as it is: the tail of a frame.
    public mutating func rest() -> [UInt8] {
        defer { position = end }
        return Array(bytes[position..<end])
    }

    private mutating func length() throws(WireError) -> Int {
        let length = try varint()
        guard length <= UInt64(limits.maximumByteCount) else { throw .limitExceeded("bytes") }
        guard length <= UInt64(remaining) else { throw .truncated }
        return Int(length)
    }

    private mutating func varint() throws(WireError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            // The tenth byte has room for one bit.
            guard shift < 63 || next <= 1 else { throw .malformed("number longer than 64 bits") }
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 {
                guard next != 0 || shift == 0 else { throw .malformed("number not in its shortest form") }
                return value
            }
            shift += 7
        }
    }
}
