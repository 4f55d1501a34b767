import FluxCore

/// The parameters of a URL's query, read the way protocol 3.3 says. A malformed value is 400/50035 under its name.
public struct QueryParameters: Sendable {
    private let pairs: [(name: String, value: String)]

    /// Splits a query (without its `?`). A pair that is no valid percent-coding is left out, further ones than 64 as well.
    public init(_ query: String?) {
        var pairs: [(name: String, value: String)] = []
        for pair in (query ?? "").split(separator: "&").prefix(64) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(parts[0]), let value = Self.decode(parts.count == 2 ? parts[1] : "") else {
                continue
            }
            pairs.append((name, value))
        }
        self.pairs = pairs
    }

    /// In queries a plus sign is a blank (application/x-www-form-urlencoded). NUL is in no text that we know.
    private static func decode(_ text: Substring) -> String? {
        let decoded = PercentEncoding.decode(text.contains("+") ? text.replacing("+", with: " ") : text)
        return decoded?.utf8.contains(0) == true ? nil : decoded
    }

    /// The first value under a name; an empty one counts as absent.
    public subscript(name: String) -> String? {
        pairs.first { $0.name == name && !$0.value.isEmpty }?.value
    }

    /// Every value under a name that may repeat.
    public func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    /// A boolean: `true`, `True`, `1`, `false`, `False`, `0`.
    public func flag(_ name: String) throws(APIError) -> Bool? {
        switch self[name] {
        case nil: nil
        case "true", "True", "1": true
        case "false", "False", "0": false
        default: throw .form([name], code: "BOOLEAN_TYPE_CONVERT", message: "Must be either true or false.")
        }
    }

    /// An integer within a range.
    public func integer(_ name: String, in range: ClosedRange<Int>) throws(APIError) -> Int? {
        guard let text = self[name] else { return nil }
        guard let number = Int(text) else {
            throw .form([name], code: "NUMBER_TYPE_COERCE", message: "Value is not an integer.")
        }
        guard number >= range.lowerBound else {
            throw .form([name], code: "NUMBER_TYPE_MIN", message: "Must be at least \(range.lowerBound).")
        }
        guard number <= range.upperBound else {
            throw .form([name], code: "NUMBER_TYPE_MAX", message: "Must be at most \(range.upperBound).")
        }
        return number
    }

    /// A cursor or id. Cursors may be any number from 0 to 2^63−1 (protocol 3.1); 0 is below every id.
    public func snowflake(_ name: String) throws(APIError) -> Snowflake? {
        guard let text = self[name] else { return nil }
        guard let cursor = Snowflake(cursor: text) else {
            throw .form([name], code: "NUMBER_TYPE_COERCE", message: "Value is not a snowflake.")
        }
        return cursor
    }
}
