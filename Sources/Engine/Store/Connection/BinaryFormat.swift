import FluxCore

/// Postgres's binary format of the types in `SQLType`, both ways: big-endian numbers, moments in microseconds since
/// 2000-01-01 UTC, `jsonb` behind a version byte, arrays behind a head of dimensions. Decoding is total: nil for
/// whatever does not fit.
enum BinaryFormat {
    /// Microseconds from 1970 to 2000, Postgres's own beginning of time.
    static let epochOffset: Int64 = 946_684_800_000_000
}

// MARK: Decoding

extension BinaryFormat {
    static func integer(_ bytes: UnsafeRawBufferPointer, as type: SQLType) -> Int64? {
        switch type {
        case .int2: load(bytes, as: Int16.self).map(Int64.init)
        case .int4: load(bytes, as: Int32.self).map(Int64.init)
        case .int8: load(bytes, as: Int64.self)
        default: nil
        }
    }

    static func text(_ bytes: UnsafeRawBufferPointer, as type: SQLType) -> String? {
        switch type {
        case .text, .json: String(decoding: bytes, as: UTF8.self)
        default: nil
        }
    }

    static func bool(_ bytes: UnsafeRawBufferPointer, as type: SQLType) -> Bool? {
        guard type == .bool, bytes.count == 1 else { return nil }
        return bytes[0] != 0
    }

    static func double(_ bytes: UnsafeRawBufferPointer, as type: SQLType) -> Double? {
        guard type == .float8 else { return nil }
        return load(bytes, as: UInt64.self).map { Double(bitPattern: $0) }
    }

    static func bytes(_ bytes: UnsafeRawBufferPointer, as type: SQLType) -> [UInt8]? {
        type == .bytea ? Array(bytes) : nil
    }

    static func json(_ bytes: UnsafeRawBufferPointer, as type: SQLType) -> [UInt8]? {
        switch type {
        case .json: Array(bytes)
        case .jsonb: bytes.first == 1 ? Array(bytes.dropFirst()) : nil
        default: nil
        }
    }

    static func timestamp(_ bytes: UnsafeRawBufferPointer, as type: SQLType) -> Timestamp? {
        guard type == .timestamptz, let value = load(bytes, as: Int64.self) else { return nil }
        let (microseconds, overflow) = value.addingReportingOverflow(epochOffset)
        return overflow ? nil : Timestamp(microseconds: microseconds)
    }

    /// The elements of a one-dimensional array without NULLs.
    static func array<Element>(
        _ bytes: UnsafeRawBufferPointer, as type: SQLType,
        _ element: (SQLType, UnsafeRawBufferPointer) -> Element?
    ) -> [Element]? {
        guard let elementType = type.element, bytes.count >= 12,
            let dimensions = number(bytes, at: 0), let declared = number(bytes, at: 8),
            UInt32(bitPattern: declared) == elementType.rawValue
        else { return nil }
        if dimensions == 0 { return [] }
        guard dimensions == 1, let count = number(bytes, at: 12), count >= 0 else { return nil }
        var elements: [Element] = []
        var offset = 20
        for _ in 0..<count {
            guard let length = number(bytes, at: offset), length >= 0 else { return nil }
            offset += 4
            guard bytes.count - offset >= Int(length),
                let value = element(elementType, UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(length)]))
            else { return nil }
            elements.append(value)
            offset += Int(length)
        }
        return elements
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Int32? {
        guard bytes.count >= offset + 4 else { return nil }
        return Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    }

    private static func load<Number: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer, as type: Number.Type
    ) -> Number? {
        guard bytes.count == MemoryLayout<Number>.size else { return nil }
        return Number(bigEndian: bytes.loadUnaligned(as: Number.self))
    }
}

// MARK: Encoding

extension BinaryFormat {
    /// Appends `value` as `type`. False when it does not fit; `buffer` is then to be thrown away.
    static func append(_ value: SQLValue, as type: SQLType, to buffer: inout [UInt8]) -> Bool {
        switch (value, type) {
        case (.bool(let value), .bool): buffer.append(value ? 1 : 0)
        case (.int(let value), .int2), (.int(let value), .int4), (.int(let value), .int8):
            return append(value, as: type, to: &buffer)
        case (.double(let value), .float8): append(value.bitPattern, to: &buffer)
        case (.text(let text), .text), (.text(let text), .json): buffer.append(contentsOf: text.utf8)
        case (.text(let text), .jsonb):
            buffer.append(1)
            buffer.append(contentsOf: text.utf8)
        case (.bytes(let bytes), .bytea), (.json(let bytes), .json): buffer.append(contentsOf: bytes)
        case (.json(let bytes), .jsonb):
            buffer.append(1)
            buffer.append(contentsOf: bytes)
        case (.timestamp(let moment), .timestamptz): append(moment.microseconds &- epochOffset, to: &buffer)
        default: return appendArray(value, as: type, to: &buffer)
        }
        return true
    }

    private static func appendArray(_ value: SQLValue, as type: SQLType, to buffer: inout [UInt8]) -> Bool {
        guard let element = type.element else { return false }
        switch (value, element) {
        case (.boolArray(let values), .bool):
            return appendArray(values, of: element, to: &buffer) {
                $1.append($0 ? 1 : 0)
                return true
            }
        case (.intArray(let values), .int2), (.intArray(let values), .int4), (.intArray(let values), .int8):
            return appendArray(values, of: element, to: &buffer) { append($0, as: element, to: &$1) }
        case (.optionalIntArray(let values), .int2), (.optionalIntArray(let values), .int4),
            (.optionalIntArray(let values), .int8):
            return appendArray(values, of: element, to: &buffer) { append($0, as: element, to: &$1) }
        case (.textArray(let values), .text):
            return appendArray(values, of: element, to: &buffer) {
                $1.append(contentsOf: $0.utf8)
                return true
            }
        case (.bytesArray(let values), .bytea):
            return appendArray(values, of: element, to: &buffer) {
                $1.append(contentsOf: $0)
                return true
            }
        case (.timestampArray(let values), .timestamptz):
            return appendArray(values, of: element, to: &buffer) {
                append($0.microseconds &- epochOffset, to: &$1)
                return true
            }
        case (.jsonArray(let values), .jsonb):
            return appendArray(values, of: element, to: &buffer) {
                $1.append(1)
                $1.append(contentsOf: $0)
                return true
            }
        default: return false
        }
    }

    private static func appendArray<Element>(
        _ values: [Element?], of element: SQLType, to buffer: inout [UInt8],
        _ append: (Element, inout [UInt8]) -> Bool
    ) -> Bool {
        let hasNull = values.contains { $0 == nil }
        self.append(Int32(values.isEmpty ? 0 : 1), to: &buffer)
        self.append(Int32(hasNull ? 1 : 0), to: &buffer)
        self.append(element.rawValue, to: &buffer)
        guard !values.isEmpty else { return true }
        guard let count = Int32(exactly: values.count) else { return false }
        self.append(count, to: &buffer)
        self.append(Int32(1), to: &buffer)
        for value in values {
            let lengthAt = buffer.count
            self.append(Int32(-1), to: &buffer)
            guard let value else { continue }
            guard append(value, &buffer), let length = Int32(exactly: buffer.count - lengthAt - 4) else { return false }
            for position in 0..<4 {
                buffer[lengthAt + position] = UInt8(truncatingIfNeeded: length >> Int32(24 - 8 * position))
            }
        }
        return true
    }

    private static func append(_ value: Int64, as type: SQLType, to buffer: inout [UInt8]) -> Bool {
        switch type {
        case .int2:
            guard let value = Int16(exactly: value) else { return false }
            append(value, to: &buffer)
        case .int4:
            guard let value = Int32(exactly: value) else { return false }
            append(value, to: &buffer)
        default: append(value, to: &buffer)
        }
        return true
    }

    private static func append(_ value: some FixedWidthInteger, to buffer: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { buffer.append(contentsOf: $0) }
    }
}
