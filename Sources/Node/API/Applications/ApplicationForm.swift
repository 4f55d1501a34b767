import FluxCore

/// The fields of an application that its owner may set; absent ones stay as they are.
struct ApplicationForm: Sendable {
    /// A field that can be emptied.
    enum Icon: Sendable, Equatable {
        case keep
        case set(String?)
    }

    /// 1 to 32 characters, without white space around them.
    let name: String?
    /// At most 400 characters.
    let description: String?
    let isPublic: Bool?
    /// The hash of an image that has been stored.
    let icon: Icon

    init(_ body: JSON) throws(APIError) {
        var reader = FormReader(body)
        name = reader.optional("name") { text, complain in
            let name = Self.trimmed(text)
            if !(1...32).contains(name.unicodeScalars.count) {
                complain("BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length.")
            }
            return name
        }
        description = reader.optional("description") { text, complain in
            if text.unicodeScalars.count > 400 {
                complain("BASE_TYPE_BAD_LENGTH", "Must be 400 or fewer in length.")
            }
            return text
        }
        let isPublicIsThere = body["bot_public"].map { !$0.isNull } ?? false
        let flag = reader.flag("bot_public")
        isPublic = isPublicIsThere ? flag : nil
        icon = body["icon"].map { .set($0.stringValue) } ?? .keep
        try reader.check()
    }

    private static func trimmed(_ text: String) -> String {
        let isWhite = { (scalar: Unicode.Scalar) in scalar.properties.isWhitespace }
        let start = text.unicodeScalars.drop(while: isWhite)
        return String(String.UnicodeScalarView(start.reversed().drop(while: isWhite).reversed()))
    }
}
