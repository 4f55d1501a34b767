/// A query with its parameters: what is sent to Postgres.
public struct Statement: Sendable {
    /// The question.
    public let query: PreparedQuery
    /// One value per parameter type of the query.
    public let parameters: [SQLValue]

    /// `query` with `parameters`, in the order of `$1`, `$2` …
    public init(_ query: PreparedQuery, _ parameters: [SQLValue] = []) {
        self.query = query
        self.parameters = parameters
    }

    /// Bytes of the parameters, for bounds; an estimate that is never far below what travels.
    public var byteCount: Int {
        parameters.reduce(into: 64) { count, value in count += value.byteCount }
    }
}

extension SQLValue {
    var byteCount: Int {
        switch self {
        case .null: 4
        case .bool: 5
        case .int, .double, .timestamp: 12
        case .text(let text): 4 + text.utf8.count
        case .bytes(let bytes), .json(let bytes): 5 + bytes.count
        case .boolArray(let values): 20 + 5 * values.count
        case .intArray(let values): 20 + 12 * values.count
        case .optionalIntArray(let values): 20 + 12 * values.count
        case .timestampArray(let values): 20 + 12 * values.count
        case .textArray(let values): values.reduce(20) { $0 + 4 + ($1?.utf8.count ?? 0) }
        case .bytesArray(let values), .jsonArray(let values): values.reduce(20) { $0 + 5 + ($1?.count ?? 0) }
        }
    }
}
