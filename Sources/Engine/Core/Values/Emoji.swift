/// An emoji as it stands in a reaction: one of Unicode, or a custom one of a guild (protocol 6.5).
public struct Emoji: Hashable, Sendable {
    /// Nil for an emoji of Unicode.
    public var id: EmojiID?
    /// The name of a custom emoji, or the emoji itself.
    public var name: String
    public var animated: Bool

    public init(id: EmojiID?, name: String, animated: Bool = false) {
        self.id = id
        self.name = name
        self.animated = animated
    }

    /// The text that tells kinds of reactions apart: `name:id` of a custom emoji, else the emoji itself.
    public var key: String {
        if let id { "\(name):\(id)" } else { name }
    }

    /// Reads a path segment that was percent-decoded once: `name:id`, `a:name:id`, or an emoji of Unicode.
    /// Nil for anything that is neither, such as words, or text of more than one emoji's length.
    public init?(pathSegment segment: String) {
        if segment.utf8.contains(UInt8(ascii: ":")) {
            self.init(customReference: segment)
        } else {
            guard UnicodeEmoji.isPlausible(segment) else { return nil }
            self.init(id: nil, name: segment)
        }
    }

    /// Reads `key` as it was stored.
    public init?(key: String) {
        self.init(pathSegment: key)
    }

    private init?(customReference text: String) {
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var animated = false
        if parts.count == 3, parts[0] == "a" || parts[0].isEmpty {
            animated = parts[0] == "a"
            parts.removeFirst()
        }
        guard parts.count == 2, let id = EmojiID(String(parts[1])), Self.isName(parts[0]) else { return nil }
        self.init(id: id, name: String(parts[0]), animated: animated)
    }

    /// 1 to 32 letters, digits and underscores, as names of custom emoji are.
    public static func isName(_ text: some StringProtocol) -> Bool {
        let bytes = text.utf8
        guard (1...32).contains(bytes.count) else { return false }
        return bytes.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): true
            default: false
            }
        }
    }

    /// Writes the emoji object of a reaction.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("id", id)
        writer.field("name", name)
        if animated { writer.field("animated", true) }
        writer.endObject()
    }
}

/// Tells text that can be one emoji of Unicode from other text, without a table of the standard's sequences.
enum UnicodeEmoji {
    /// One grapheme cluster, short, that holds a scalar of the emoji properties: a picture, a flag, or a keycap.
    static func isPlausible(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 64, text.count == 1 else { return false }
        let scalars = text.unicodeScalars
        let isKeycap = scalars.contains("\u{20E3}")
        return scalars.contains { scalar in
            let properties = scalar.properties
            // Digits, `#` and `*` have the property too; they are emoji in keycaps only.
            return properties.isEmoji && (scalar.value > 0x7F || isKeycap)
        }
    }
}
