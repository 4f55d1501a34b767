/// How a kind of value is written: what is allowed, in words, and the way in and out.
///
/// `parse` and `render` are inverse: what `render` writes, `parse` reads back as the same value.
struct ConfigurationValueType<Value: Sendable>: Sendable {
    /// What may stand there, as a phrase: "a whole number from 1 to 64".
    let allowed: String
    /// The value, or nil where the text is refused.
    let parse: @Sendable (ConfigurationText) -> Value?
    /// The text of a value; nil where the key is left empty.
    let render: @Sendable (Value) -> ConfigurationText?

    init(
        allowed: String, parse: @escaping @Sendable (ConfigurationText) -> Value?,
        render: @escaping @Sendable (Value) -> ConfigurationText?
    ) {
        self.allowed = allowed
        self.parse = parse
        self.render = render
    }

    /// A type whose values are written as one scalar.
    init(
        allowed: String, scalar parse: @escaping @Sendable (String) -> Value?,
        text render: @escaping @Sendable (Value) -> String
    ) {
        self.allowed = allowed
        self.parse = { text in
            guard case .scalar(let scalar) = text else { return nil }
            return parse(scalar)
        }
        self.render = { .scalar(render($0)) }
    }

    /// The same, or nothing at all.
    var orNothing: ConfigurationValueType<Value?> {
        ConfigurationValueType<Value?>(
            allowed: allowed + ", or nothing",
            parse: { text in
                if text == .scalar("") { return .some(nil) }
                return parse(text).map { .some($0) }
            },
            render: { $0.flatMap(render) })
    }

    /// A YAML sequence of these; in the environment and on the command line separated by commas.
    var list: ConfigurationValueType<[Value]> {
        ConfigurationValueType<[Value]>(
            allowed: "a list, each " + allowed,
            parse: { text in
                let items: [String] =
                    switch text {
                    case .list(let items): items
                    case .scalar(let line):
                        line.split(separator: ",").map { String($0.trimmed) }
                    }
                var values: [Value] = []
                for item in items {
                    guard let value = parse(.scalar(item)) else { return nil }
                    values.append(value)
                }
                return values
            },
            render: { values in
                .list(
                    values.map { value in
                        guard case .scalar(let text)? = render(value) else { return "" }
                        return text
                    })
            })
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: SubSequence {
        let start = firstIndex { !$0.isWhitespace } ?? endIndex
        let end = lastIndex { !$0.isWhitespace }.map { index(after: $0) } ?? start
        return self[start..<end]
    }
}
