/// The name of an uploaded file, made safe to show, to store and to put into a URL.
public enum FileName {
    /// The most bytes of UTF-8 that a name keeps; a file system takes 255 for one segment.
    public static let limit = 180

    /// The last path segment, without control characters, leading dots or blanks, in at most `limit` bytes, its extension
    /// kept when it must be shortened. `file` if nothing is left.
    public static func clean(_ name: String) -> String {
        let segment =
            name.unicodeScalars.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? Substring().unicodeScalars
        var scalars = segment.filter { scalar in
            switch scalar.properties.generalCategory {
            // Format characters can turn the reading direction, so that `gpj.exe` reads `exe.jpg`.
            case .control, .format, .surrogate, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }[...]
        while let first = scalars.first, first == "." || first == " " { scalars.removeFirst() }
        while let last = scalars.last, last == "." || last == " " { scalars.removeLast() }
        let cleaned = String(scalars)
        if cleaned.isEmpty { return "file" }
        guard cleaned.utf8.count > limit else { return cleaned }
        let kept = `extension`(of: cleaned).map { "." + $0 } ?? ""
        return prefix(of: cleaned, bytes: limit - kept.utf8.count) + kept
    }

    /// What follows the last dot, in its own case; nil if there is none or it is empty or longer than 16 bytes.
    public static func `extension`(of name: String) -> String? {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return nil }
        let rest = name[name.index(after: dot)...]
        return (1...16).contains(rest.utf8.count) ? String(rest) : nil
    }

    /// As many whole scalars as fit into so many bytes.
    private static func prefix(of text: String, bytes: Int) -> String {
        var room = bytes
        let scalars = text.unicodeScalars.prefix { scalar in
            room -= UTF8.width(scalar)
            return room >= 0
        }
        return String(scalars)
    }
}
