import CPostgres

/// A libpq connection string (URI or `key=value` form), taken apart and checked.
///
/// It may hold a password, so its description shows only what may be logged.
public struct ConnectionString: Sendable, CustomStringConvertible {
    /// libpq's keywords and their values, as given.
    private(set) var values: [String: String]

    /// Throws `StoreError.invalid` with libpq's own explanation when `text` is no connection string.
    public init(_ text: String) throws(StoreError) {
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &message) else {
            let reason = message.map { String(cString: $0) } ?? "not a connection string"
            PQfreemem(message)
            throw .invalid(reason.trimmed)
        }
        defer { PQconninfoFree(options) }
        values = [:]
        var option = options
        // libpq ends the list with an entry that has no keyword.
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
    }

    /// Sets a keyword, in place of what was given.
    mutating func set(_ keyword: String, _ value: String) { values[keyword] = value }

    /// Adds server settings (`-c name=value`) to those given.
    mutating func addSetting(_ name: String, _ value: String) {
        values["options"] = [values["options"], "-c \(name)=\(value)"].compactMap { $0 }.joined(separator: " ")
    }

    /// Where and as whom, without the password.
    public var description: String {
        ["host", "hostaddr", "port", "user", "dbname"]
            .compactMap { keyword in values[keyword].map { "\(keyword)=\($0)" } }
            .joined(separator: " ")
    }
}

extension String {
    /// Without white space and line ends at both ends: libpq ends its messages with a line feed.
    var trimmed: String {
        var rest = Substring(self)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        return String(rest)
    }

    /// Its lines in one, for messages to people: libpq's have several.
    var onOneLine: String {
        split(whereSeparator: \.isNewline).map { String($0).trimmed }.filter { !$0.isEmpty }.joined(separator: "; ")
    }
}
