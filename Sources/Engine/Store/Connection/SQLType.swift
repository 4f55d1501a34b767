/// The Postgres types that parameters and columns may have, with their object ids (`pg_type.oid`, fixed since 1996).
///
/// Everything travels in Postgres's binary format, so both ends must agree on the type: a `PreparedQuery` declares the
/// types of its parameters, a column carries its own.
public enum SQLType: UInt32, Sendable, Hashable, CaseIterable {
    case bool = 16
    case bytea = 17
    case int8 = 20
    case int2 = 21
    case int4 = 23
    case text = 25
    case json = 114
    case float8 = 701
    case timestamptz = 1184
    case jsonb = 3802
    case boolArray = 1000
    case byteaArray = 1001
    case int2Array = 1005
    case int4Array = 1007
    case textArray = 1009
    case int8Array = 1016
    case timestamptzArray = 1185
    case jsonbArray = 3807

    /// The type of an array's elements; nil when this is no array.
    var element: SQLType? {
        switch self {
        case .boolArray: .bool
        case .byteaArray: .bytea
        case .int2Array: .int2
        case .int4Array: .int4
        case .textArray: .text
        case .int8Array: .int8
        case .timestamptzArray: .timestamptz
        case .jsonbArray: .jsonb
        case .bool, .bytea, .int8, .int2, .int4, .text, .json, .float8, .timestamptz, .jsonb: nil
        }
    }
}
