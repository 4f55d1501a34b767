/// Writes the cluster's binary encoding: little-endian base-128 varints, zigzag for signed numbers, a length before
/// strings, byte arrays and lists.
///
/// Appends to one growing array; never fails.
public struct WireWriter: Sendable {
    /// What has been written.
    public private(set) var bytes: [UInt8]
    /// The version that the reader of these bytes speaks.
    public let version: WireVersion
    /// The oldest version in which all that was written means anything.
    public private(set) var needed: WireVersion = .oldest
    private let addsUnknownFields: Bool

    /// An empty writer with room for `capacity` bytes. Without a version: the oldest one, for what is written before anything
    /// was agreed on, or for a reader who is not known, as in the database.
    public init(version: WireVersion = .oldest, dialect: WireDialect = .own, capacity: Int = 128) {
        self.version = version
        addsUnknownFields = dialect.addsUnknownFields
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// What is being written (a kind of event, a call, a case of an enum) exists since this version. A frame with it is not
    /// sent over a link of an older one.
    public mutating func require(_ version: WireVersion) {
        needed = max(needed, version)
    }

    /// Whether the reader knows all kinds that were written.
    public var isReadable: Bool { needed <= version }

    /// One byte as it is.
    public mutating func byte(_ value: UInt8) {
        bytes.append(value)
    }

    /// An unsigned number as a varint of 1 to 10 bytes.
    public mutating func unsigned(_ value: some FixedWidthInteger & UnsignedInteger) {
        var rest = UInt64(value)
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// A signed number, zigzag, as a varint of 1 to 10 bytes.
    public mutating func signed(_ value: some FixedWidthInteger & SignedInteger) {
        let wide = Int64(value)
        unsigned(UInt64(bitPattern: (wide << 1) ^ (wide >> 63)))
    }

    /// A truth value as one byte, 0 or 1.
    public mutating func bool(_ value: Bool) {
        bytes.append(value ? 1 : 0)
    }

    /// A floating point number as its 8 bytes of IEEE 754, lowest first.
    public mutating func double(_ value: Double) {
        var rest = value.bitPattern
        for _ in 0..<8 {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    /// Bytes behind their length.
    public mutating func byteArray(_ value: [UInt8]) {
        unsigned(UInt(value.count))
        bytes.append(contentsOf: value)
    }

    /// Text as UTF-8 behind its length in bytes.
    public mutating func string(_ value: String) {
        let utf8 = value.utf8
        unsigned(UInt(utf8.count))
        bytes.append(contentsOf: utf8)
    }

    /// Another value, as it writes itself.
    public mutating func value(_ value: some WireCodable) {
        value.encode(to: &self)
    }

    /// A value that may be missing: a byte 0, or a byte 1 and the value.
    public mutating func optional(_ value: (some WireCodable)?) {
        guard let value else { return bytes.append(0) }
        bytes.append(1)
        value.encode(to: &self)
    }

    /// Values behind their count.
    public mutating func list(_ values: some Collection<some WireCodable>) {
        unsigned(UInt(values.count))
        for value in values {
            value.encode(to: &self)
        }
    }

    /// Fields behind their length in bytes (4 bytes, lowest first), so that a reader that knows fewer of them can skip
    /// the rest.
    public mutating func record(_ fields: (inout WireWriter) -> Void) {
        let start = bytes.count
        bytes.append(contentsOf: [0, 0, 0, 0])
        fields(&self)
        addUnknownFields()
        var length = UInt32(truncatingIfNeeded: bytes.count - start - 4)
        for position in start..<(start + 4) {
            bytes[position] = UInt8(truncatingIfNeeded: length)
            length >>= 8
        }
    }

    /// What a build to come may add at this place; nothing in this one.
    mutating func addUnknownFields() {
        if addsUnknownFields { bytes.append(contentsOf: WireDialect.unknownFields) }
    }

    /// Bytes as they are, without a length: the tail of a frame.
    public mutating func raw(_ value: some Sequence<UInt8>) {
        bytes.append(contentsOf: value)
    }
}
