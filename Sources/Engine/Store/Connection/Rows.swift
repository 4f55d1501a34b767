/// What a statement returned: a collection of rows, held once in libpq's memory however often it is copied.
public struct Rows: Sendable, RandomAccessCollection {
    let storage: ResultStorage

    /// Rows that the statement inserted, updated, deleted or returned.
    public var affectedCount: Int { storage.affectedCount }

    public var startIndex: Int { 0 }
    public var endIndex: Int { storage.rowCount }

    public subscript(position: Int) -> Row {
        precondition(indices.contains(position), "row \(position) of \(count)")
        return Row(storage: storage, index: position)
    }
}

/// A column by its name (`row.int("id")`) or, faster in long results, by its position from 0 (`row.int(0)`).
public enum Column: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, CustomStringConvertible {
    case name(String)
    case position(Int)

    public init(stringLiteral name: String) { self = .name(name) }
    public init(integerLiteral position: Int) { self = .position(position) }

    public var description: String {
        switch self {
        case .name(let name): name
        case .position(let position): "#\(position)"
        }
    }
}
