import FluxCore

/// A header value with parameters, such as `form-data; name="a"; filename="b.png"` (RFC 2183, RFC 7578).
///
/// Total: whatever is not understood is left out.
struct HeaderParameters {
    /// What stands before the first `;`, in lower case and trimmed.
    let value: String
    private var parameters: [(name: String, value: String)] = []

    /// Reads a value. At most 16 parameters are looked at.
    init(_ text: Substring.UnicodeScalarView) {
        var rest = text
        value = String(rest.prefix { $0 != ";" }).trimmed.lowercased()
        rest = rest.drop { $0 != ";" }
        while rest.first == ";", parameters.count < 16 {
            rest = rest.dropFirst()
            let name = String(rest.prefix { $0 != "=" && $0 != ";" }).trimmed.lowercased()
            rest = rest.drop { $0 != "=" && $0 != ";" }
            guard rest.first == "=" else { continue }
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            if rest.first == "\"" {
                rest = rest.dropFirst()
                parameters.append((name, Self.quoted(&rest)))
                rest = rest.drop { $0 != ";" }
            } else {
                parameters.append((name, String(rest.prefix { $0 != ";" }).trimmed))
                rest = rest.drop { $0 != ";" }
            }
        }
    }

    /// The first parameter of a name.
    subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// A parameter in the extended form `name*=UTF-8''percent-encoded` (RFC 8187).
    func extended(_ name: String) -> String? {
        guard let raw = self[name + "*"] else { return nil }
        let parts = raw.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].lowercased() == "utf-8" else { return nil }
        return PercentEncoding.decode(parts[2])
    }

    /// Reads up to the closing quote. A backslash escapes a quote or a backslash and stands for itself before anything
    /// else, because old browsers sent whole paths.
    private static func quoted(_ rest: inout Substring.UnicodeScalarView) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = rest.first {
            rest = rest.dropFirst()
            if scalar == "\"" { break }
            if scalar == "\\", let next = rest.first, next == "\"" || next == "\\" {
                text.append(next)
                rest = rest.dropFirst()
            } else {
                text.append(scalar)
            }
        }
        return String(text)
    }
}

extension String {
    /// Without blanks at either end.
    fileprivate var trimmed: String {
        var scalars = unicodeScalars[...]
        while let first = scalars.first, first == " " || first == "\t" { scalars.removeFirst() }
        while let last = scalars.last, last == " " || last == "\t" { scalars.removeLast() }
        return String(scalars)
    }
}
