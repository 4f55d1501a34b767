import FluxCore

/// One row. Every accessor is total: a missing column, an unexpected NULL or another type is `StoreError.corrupt`,
/// never a crash, because the schema may have been changed by somebody else.
public struct Row: Sendable {
    let storage: ResultStorage
    let index: Int

    /// Whether the value is NULL.
    public func isNull(_ column: Column) throws(StoreError) -> Bool {
        let position = try position(of: column)
        return try storage.withValue(row: index, column: position) { bytes throws(StoreError) in bytes == nil }
    }

    /// An integer of any width.
    public func int(_ column: Column) throws(StoreError) -> Int64 { try required(column, optionalInt(column)) }
    /// An integer of any width, or nil for NULL.
    public func optionalInt(_ column: Column) throws(StoreError) -> Int64? {
        try decode(column) { type, bytes in BinaryFormat.integer(bytes, as: type) }
    }

    /// An integer that fits `Width`; one that does not is corrupt.
    public func integer<Width: FixedWidthInteger>(_ column: Column, as width: Width.Type = Width.self)
        throws(StoreError) -> Width
    {
        guard let value = Width(exactly: try int(column)) else { throw .corrupt("\(column) is out of range") }
        return value
    }

    /// An id (protocol 3.1).
    public func id(_ column: Column) throws(StoreError) -> Snowflake { try required(column, optionalID(column)) }
    /// An id, or nil for NULL.
    public func optionalID(_ column: Column) throws(StoreError) -> Snowflake? {
        try optionalInt(column).map { Snowflake(UInt64(bitPattern: $0)) }
    }

    /// A text.
    public func text(_ column: Column) throws(StoreError) -> String { try required(column, optionalText(column)) }
    /// A text, or nil for NULL.
    public func optionalText(_ column: Column) throws(StoreError) -> String? {
        try decode(column) { type, bytes in BinaryFormat.text(bytes, as: type) }
    }

    /// A truth value.
    public func bool(_ column: Column) throws(StoreError) -> Bool { try required(column, optionalBool(column)) }
    /// A truth value, or nil for NULL.
    public func optionalBool(_ column: Column) throws(StoreError) -> Bool? {
        try decode(column) { type, bytes in BinaryFormat.bool(bytes, as: type) }
    }

    /// A floating-point number.
    public func double(_ column: Column) throws(StoreError) -> Double {
        try required(column, decode(column) { type, bytes in BinaryFormat.double(bytes, as: type) })
    }

    /// Bytes.
    public func bytes(_ column: Column) throws(StoreError) -> [UInt8] { try required(column, optionalBytes(column)) }
    /// Bytes, or nil for NULL.
    public func optionalBytes(_ column: Column) throws(StoreError) -> [UInt8]? {
        try decode(column) { type, bytes in BinaryFormat.bytes(bytes, as: type) }
    }

    /// JSON as UTF-8 text.
    public func json(_ column: Column) throws(StoreError) -> [UInt8] { try required(column, optionalJSON(column)) }
    /// JSON as UTF-8 text, or nil for NULL.
    public func optionalJSON(_ column: Column) throws(StoreError) -> [UInt8]? {
        try decode(column) { type, bytes in BinaryFormat.json(bytes, as: type) }
    }

    /// A moment.
    public func timestamp(_ column: Column) throws(StoreError) -> Timestamp {
        try required(column, optionalTimestamp(column))
    }
    /// A moment, or nil for NULL.
    public func optionalTimestamp(_ column: Column) throws(StoreError) -> Timestamp? {
        try decode(column) { type, bytes in BinaryFormat.timestamp(bytes, as: type) }
    }

    /// Integers of any width; a NULL element is corrupt.
    public func ints(_ column: Column) throws(StoreError) -> [Int64] {
        try required(
            column,
            decode(column) { type, bytes in
                BinaryFormat.array(bytes, as: type) { BinaryFormat.integer($1, as: $0) }
            })
    }

    /// Ids; a NULL element is corrupt.
    public func ids(_ column: Column) throws(StoreError) -> [Snowflake] {
        try ints(column).map { Snowflake(UInt64(bitPattern: $0)) }
    }

    /// Texts; a NULL element is corrupt.
    public func texts(_ column: Column) throws(StoreError) -> [String] {
        try required(
            column,
            decode(column) { type, bytes in
                BinaryFormat.array(bytes, as: type) { BinaryFormat.text($1, as: $0) }
            })
    }

    // MARK: Machinery

    private func position(of column: Column) throws(StoreError) -> Int {
        switch column {
        case .position(let position):
            guard storage.columnNames.indices.contains(position) else { throw .corrupt("no column \(column)") }
            return position
        case .name(let name):
            guard let position = storage.columnNames.firstIndex(of: name) else { throw .corrupt("no column \(column)") }
            return position
        }
    }

    private func required<Value>(_ column: Column, _ value: Value?) throws(StoreError) -> Value {
        guard let value else { throw .corrupt("\(column) is NULL") }
        return value
    }

    /// Nil for NULL; throws when `body` cannot make a value of the bytes.
    private func decode<Value>(_ column: Column, _ body: (SQLType, UnsafeRawBufferPointer) -> Value?)
        throws(StoreError) -> Value?
    {
        let position = try position(of: column)
        guard let type = storage.type(ofColumn: position) else { throw .corrupt("\(column) has an unknown type") }
        return try storage.withValue(row: index, column: position) { bytes throws(StoreError) -> Value? in
            guard let bytes else { return nil }
            guard let value = body(type, bytes) else { throw .corrupt("\(column) is \(type), which does not fit") }
            return value
        }
    }
}
