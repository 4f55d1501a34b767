/// What is wrong with the fields of a refused body (protocol 3.5, code 50035).
public struct FormErrors: Sendable, Equatable {
    /// One complaint about one field.
    public struct Entry: Sendable, Equatable {
        /// The way to the field from the body's root; list positions in decimal.
        public var path: [String]
        /// A constant for programs, such as `BASE_TYPE_BAD_LENGTH`.
        public var code: String
        /// A sentence for people.
        public var message: String

        public init(path: [String], code: String, message: String) {
            self.path = path
            self.code = code
            self.message = message
        }
    }

    public var entries: [Entry]

    public init(_ entries: [Entry] = []) {
        self.entries = entries
    }

    /// Whether nothing is wrong.
    public var isEmpty: Bool {
        entries.isEmpty
    }

    /// Adds a complaint.
    public mutating func add(_ path: [String], code: String, message: String) {
        entries.append(Entry(path: path, code: code, message: message))
    }

    /// Throws the error that carries these complaints, if there are any.
    public func check() throws(APIError) {
        if !isEmpty { throw .form(self) }
    }

    /// Writes the nested object, in the shape of the body: `{"field": {"_errors": [{"code", "message"}]}}`.
    public func write(to writer: inout JSONWriter) {
        Self.write(entries[...].map { ($0.path[...], $0) }, to: &writer)
    }

    private static func write(_ entries: [(path: ArraySlice<String>, entry: Entry)], to writer: inout JSONWriter) {
        writer.beginObject()
        let here = entries.filter { $0.path.isEmpty }
        if !here.isEmpty {
            writer.key("_errors")
            writer.beginArray()
            for (_, entry) in here {
                writer.beginObject()
                writer.field("code", entry.code)
                writer.field("message", entry.message)
                writer.endObject()
            }
            writer.endArray()
        }
        var order: [String] = []
        var groups: [String: [(path: ArraySlice<String>, entry: Entry)]] = [:]
        for (path, entry) in entries {
            guard let head = path.first else { continue }
            if groups[head] == nil { order.append(head) }
            groups[head, default: []].append((path.dropFirst(), entry))
        }
        for name in order {
            writer.key(escaping: name)
            write(groups[name] ?? [], to: &writer)
        }
        writer.endObject()
    }
}
