/// Writes compact JSON straight into a byte array, commas included.
///
/// The caller keeps the grammar: a key and then a value inside objects, values inside arrays, every `begin…` closed. The
/// writer remembers a single bit, whether a comma is due before what comes next. Strings without a byte to escape are
/// copied in one piece.
public struct JSONWriter: Sendable {
    /// What has been written.
    public var bytes: [UInt8]

    @usableFromInline var commaDue = false

    /// A writer with room for `capacity` bytes.
    public init(capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// Starts an object as the next value.
    @inlinable
    public mutating func beginObject() {
        separate()
        bytes.append(UInt8(ascii: "{"))
        commaDue = false
    }

    /// Ends the innermost object.
    @inlinable
    public mutating func endObject() {
        bytes.append(UInt8(ascii: "}"))
        commaDue = true
    }

    /// Starts an array as the next value.
    @inlinable
    public mutating func beginArray() {
        separate()
        bytes.append(UInt8(ascii: "["))
        commaDue = false
    }

    /// Ends the innermost array.
    @inlinable
    public mutating func endArray() {
        bytes.append(UInt8(ascii: "]"))
        commaDue = true
    }

    /// Writes the key of the next member. The name must need no escaping.
    @inlinable
    public mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        // A static string's pointer is valid for the life of the process, for utf8CodeUnitCount bytes.
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        commaDue = false
    }

    /// Writes a key that is known at run time only, escaped.
    public mutating func key(escaping name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        commaDue = false
    }

    /// Writes a string, escaped.
    @inlinable
    public mutating func string(_ value: String) {
        separate()
        quote(value)
        commaDue = true
    }

    /// Writes a whole number.
    @inlinable
    public mutating func int(_ value: some BinaryInteger) {
        separate()
        if let small = Int64(exactly: value) {
            if small < 0 { bytes.append(UInt8(ascii: "-")) }
            decimal(small.magnitude)
        } else {
            decimal(UInt64(truncatingIfNeeded: value))
        }
        commaDue = true
    }

    /// Writes a number; not finite ones, which JSON cannot express, as null.
    public mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        bytes.append(contentsOf: value.description.utf8)
        commaDue = true
    }

    /// Writes `true` or `false`.
    @inlinable
    public mutating func bool(_ value: Bool) {
        literal(value ? "true" : "false")
    }

    /// Writes `null`.
    @inlinable
    public mutating func null() {
        literal("null")
    }

    /// Writes an id as a decimal string.
    @inlinable
    public mutating func snowflake(_ value: Snowflake) {
        quotedDecimal(value.rawValue)
    }

    /// Writes permissions as a decimal string.
    @inlinable
    public mutating func permissions(_ value: Permissions) {
        quotedDecimal(value.rawValue)
    }

    /// Writes a moment in the form of protocol 3.2.
    public mutating func timestamp(_ value: Timestamp) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        value.appendISO8601(to: &bytes)
        bytes.append(UInt8(ascii: "\""))
        commaDue = true
    }

    /// Writes a value that is JSON already.
    @inlinable
    public mutating func raw(_ encoded: [UInt8]) {
        separate()
        bytes.append(contentsOf: encoded)
        commaDue = true
    }

    /// Writes members that are JSON already (`"a":1,"b":2`), inside an object. Nothing if there are none.
    @inlinable
    public mutating func rawMembers(_ encoded: [UInt8]) {
        guard !encoded.isEmpty else { return }
        raw(encoded)
    }

    /// Writes any value.
    public mutating func json(_ value: JSON) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .number(.integer(let value)): int(value)
        case .number(.unsigned(let value)): int(value)
        case .number(.double(let value)): double(value)
        case .string(let value): string(value)
        case .array(let elements):
            beginArray()
            for element in elements { json(element) }
            endArray()
        case .object(let object):
            beginObject()
            for member in object.members {
                key(escaping: member.key)
                json(member.value)
            }
            endObject()
        }
    }

    @inlinable
    mutating func separate() {
        if commaDue { bytes.append(UInt8(ascii: ",")) }
    }

    @inlinable
    mutating func literal(_ text: StaticString) {
        separate()
        // As in `key`: the pointer of a static string never dies.
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        commaDue = true
    }

    @inlinable
    mutating func quotedDecimal(_ value: UInt64) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        decimal(value)
        bytes.append(UInt8(ascii: "\""))
        commaDue = true
    }

    @usableFromInline
    mutating func decimal(_ value: UInt64) {
        if value < 10 {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value))
            return
        }
        // 20 digits hold every 64-bit number; the digits are filled from the end, and only those are copied.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = 20
            var rest = value
            while rest > 0 {
                start -= 1
                digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start..<20]))
        }
    }

    @usableFromInline
    mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        // Native strings are contiguous; the copy serves those that are not.
        if text.utf8.withContiguousStorageIfAvailable({ escape($0) }) == nil {
            Array(text.utf8).withUnsafeBufferPointer { escape($0) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Copies runs of bytes that stand for themselves in one piece each. The pointer is used within the call alone.
    private mutating func escape(_ text: UnsafeBufferPointer<UInt8>) {
        var runStart = 0
        var index = 0
        let count = text.count
        while index < count {
            let byte = text[index]
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                index += 1
                continue
            }
            if runStart < index { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[runStart..<index])) }
            appendEscape(of: byte)
            index += 1
            runStart = index
        }
        if runStart < count { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[runStart..<count])) }
    }

    private mutating func appendEscape(of byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            bytes.append(contentsOf: [UInt8(ascii: "u"), 0x30, 0x30])
            bytes.append(0x30 + (byte >> 4))
            let low = byte & 0xF
            bytes.append(low < 10 ? 0x30 + low : UInt8(ascii: "a") + low - 10)
        }
    }
}
