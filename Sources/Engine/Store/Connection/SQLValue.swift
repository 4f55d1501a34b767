import FluxCore

/// One parameter of a statement. It is sent in Postgres's binary format as the type that the query declares for it.
///
/// `int` fits `int2`, `int4` and `int8` (a value out of range is refused before it is sent), `text` fits `text`, `json`
/// and `jsonb`, `bytes` fits `bytea`, `json` fits `json` and `jsonb`; the arrays likewise. `null` fits every type.
/// Anything else is `StoreError.invalid`.
public enum SQLValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case text(String)
    case bytes([UInt8])
    case timestamp(Timestamp)
    /// UTF-8 text of one JSON value.
    case json([UInt8])
    case boolArray([Bool])
    case intArray([Int64])
    case optionalIntArray([Int64?])
    case textArray([String?])
    case bytesArray([[UInt8]?])
    case timestampArray([Timestamp?])
    case jsonArray([[UInt8]?])
}

extension SQLValue {
    /// An id, sent as `int8`. Ids stay below 2^63 (protocol 3.1), so no bit is lost.
    public static func id(_ id: Snowflake) -> SQLValue { .int(Int64(truncatingIfNeeded: id.rawValue)) }

    /// An id that may be missing.
    public static func id(_ id: Snowflake?) -> SQLValue { id.map { .id($0) } ?? .null }

    /// Several ids, sent as `int8[]`.
    public static func ids(_ ids: some Sequence<Snowflake>) -> SQLValue {
        .intArray(ids.map { Int64(truncatingIfNeeded: $0.rawValue) })
    }

    /// A text that may be missing.
    public static func text(_ text: String?) -> SQLValue { text.map { .text($0) } ?? .null }

    /// A number that may be missing.
    public static func int(_ value: (some BinaryInteger)?) -> SQLValue {
        value.map { .int(Int64(truncatingIfNeeded: $0)) } ?? .null
    }

    /// A moment that may be missing.
    public static func timestamp(_ moment: Timestamp?) -> SQLValue { moment.map { .timestamp($0) } ?? .null }

    /// JSON that may be missing.
    public static func json(_ bytes: [UInt8]?) -> SQLValue { bytes.map { .json($0) } ?? .null }
}
