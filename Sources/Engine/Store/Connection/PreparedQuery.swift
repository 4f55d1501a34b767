/// SQL text that is prepared once per connection and then run with parameters: the only way to put a question to
/// Postgres, so that no SQL is ever built from input.
///
/// Make one as a `static let`, with `$1`, `$2` … for the parameters:
///
///     static let find = PreparedQuery("users.find", "SELECT id, name FROM users WHERE id = $1", [.int8])
public struct PreparedQuery: Sendable, Hashable {
    /// Unique in the program: it is the statement's name on every connection, in logs and in metrics. At most 63 bytes.
    public let name: String
    /// One SQL command.
    public let sql: String
    /// The type of each parameter, in order.
    public let parameterTypes: [SQLType]
    /// Whether running it twice is harmless. Such a query is repeated when its connection dies under it.
    public let isRepeatable: Bool

    /// A query named `name`. Unless `repeatable` says otherwise, a query that begins with SELECT may be repeated.
    public init(_ name: String, _ sql: String, _ parameterTypes: [SQLType] = [], repeatable: Bool? = nil) {
        self.name = name
        self.sql = sql
        self.parameterTypes = parameterTypes
        self.isRepeatable = repeatable ?? PreparedQuery.beginsWithSelect(sql)
    }

    private static func beginsWithSelect(_ sql: String) -> Bool {
        let word = sql.drop { $0.isWhitespace }.prefix(6)
        return word.lowercased() == "select"
    }

    public static func == (left: PreparedQuery, right: PreparedQuery) -> Bool {
        left.name == right.name && left.sql == right.sql
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}
