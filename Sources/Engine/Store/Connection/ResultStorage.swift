import CPostgres

/// Owns one libpq result: its rows live in libpq's memory and are read in place.
///
/// `@unchecked Sendable`: a PGresult is never written after libpq has handed it over, libpq documents reading it from
/// several threads as safe, the pointer is private to this class, and only `deinit`, which runs when no other reference
/// is left, frees it.
final class ResultStorage: @unchecked Sendable {
    private let result: OpaquePointer
    let rowCount: Int
    /// Rows that an INSERT, UPDATE or DELETE touched, or that a SELECT returned.
    let affectedCount: Int
    let columnNames: [String]
    private let columnTypes: [UInt32]

    /// Takes over `result`, which nobody else may use or free from here on.
    init(owning result: OpaquePointer) {
        self.result = result
        rowCount = Int(PQntuples(result))
        let columns = PQnfields(result)
        columnNames = (0..<columns).map { PQfname(result, $0).map { String(cString: $0) } ?? "" }
        columnTypes = (0..<columns).map { PQftype(result, $0) }
        affectedCount = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
    }

    deinit { PQclear(result) }

    /// The type of column `column`; nil when it is none that we know.
    func type(ofColumn column: Int) -> SQLType? { SQLType(rawValue: columnTypes[column]) }

    /// Calls `body` with the bytes of one value, or with nil for NULL. `row` and `column` must be in range.
    func withValue<Value>(row: Int, column: Int, _ body: (UnsafeRawBufferPointer?) throws(StoreError) -> Value)
        throws(StoreError) -> Value
    {
        let (row, column) = (Int32(row), Int32(column))
        guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else {
            return try body(nil)
        }
        // The bytes live as long as the result, and `self` keeps it alive over the call.
        return try body(UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column))))
    }
}
