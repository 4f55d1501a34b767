/// Fields that bodies of new and of edited messages share.
enum MessageFields {
    /// A nonce is a string of 1 to 25 characters or a whole number.
    static func nonce(from reader: inout BodyReader, _ json: JSON?) -> JSON? {
        switch json {
        case nil, .null:
            return nil
        case .string(let text):
            if text.isEmpty { return nil }
            guard text.unicodeScalars.count <= MessageLimits.nonce else {
                reader.refuse(
                    "nonce", code: "BASE_TYPE_MAX_LENGTH",
                    message: "Must be \(MessageLimits.nonce) or fewer in length.")
                return nil
            }
            guard !text.utf8.contains(0) else {
                reader.refuse(
                    "nonce", code: "BASE_TYPE_INVALID", message: "The text holds a character that cannot be stored.")
                return nil
            }
            return json
        case .number(.integer), .number(.unsigned):
            return json
        default:
            reader.refuse("nonce", code: "NONCE_TYPE_CONVERT", message: "Must be a string or a whole number.")
            return nil
        }
    }

    static func text(ofNonce nonce: JSON?) -> String? {
        switch nonce {
        case .string(let text): text
        case .number(.integer(let value)): String(value)
        case .number(.unsigned(let value)): String(value)
        default: nil
        }
    }

    /// Nil where the key is missing; an empty array where it is null.
    static func embeds(from reader: inout BodyReader) -> JSON? {
        let field = reader.list("embeds", count: 0...MessageLimits.embeds)
        guard let elements = field.value else { return field == .null ? .array([]) : nil }
        var embeds: [JSON] = []
        for (index, element) in elements.enumerated() {
            guard case .object(var object) = element else {
                reader.errors.add(
                    ["embeds", String(index)], code: "DICT_TYPE_CONVERT",
                    message: "Only dictionaries may be used in a DictType")
                continue
            }
            object["type"] = "rich"
            embeds.append(.object(object))
        }
        return bounded(.array(embeds), "embeds", &reader)
    }

    /// Nil where the key is missing; an empty array where it is null.
    static func components(from reader: inout BodyReader) -> JSON? {
        let field = reader.list("components", count: 0...MessageLimits.components)
        guard let elements = field.value else { return field == .null ? .array([]) : nil }
        for (index, element) in elements.enumerated() {
            if case .object = element { continue }
            reader.errors.add(
                ["components", String(index)], code: "DICT_TYPE_CONVERT",
                message: "Only dictionaries may be used in a DictType")
        }
        return bounded(.array(elements), "components", &reader)
    }

    private static func bounded(_ json: JSON, _ key: String, _ reader: inout BodyReader) -> JSON {
        if json != .array([]), json.encoded().count > MessageLimits.embedBytes {
            reader.refuse(
                key, code: "MAX_SIZE_EXCEEDED", message: "Must be \(MessageLimits.embedBytes) bytes or fewer.")
        }
        return json
    }

    /// Whether a text shows nothing.
    static func isBlank(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.properties.isWhitespace }
    }
}
