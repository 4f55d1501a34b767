import FluxCore

/// What a person or bot may change of their own account (protocol 5.2). Images come as their hashes; the edge has stored
/// them.
enum ProfileEdit {
    static let usernameLength = 2...32
    static let globalNameLength = 1...32
    static let bioLength = 0...190
    static let pronounsLength = 0...40

    /// The account with the changes of `body`.
    /// - Throws: `APIError` with every complaint.
    static func apply(_ body: JSON, to user: User) throws(APIError) -> User {
        var reader = BodyReader(body == .null ? .object(JSONObject()) : body)
        var changed = user
        if let name = reader.string("username", length: usernameLength).value {
            changed.username = user.isBot ? name.trimmed : checked(name, &reader)
        }
        reader.imageHash("avatar").apply(to: &changed.avatar)
        reader.imageHash("banner").apply(to: &changed.banner)
        if !user.isBot {
            reader.string("global_name", length: globalNameLength).apply(to: &changed.globalName)
            changed.globalName = changed.globalName?.trimmed
            if changed.globalName?.isEmpty == true { changed.globalName = nil }
            reader.string("bio", length: bioLength).apply(to: &changed.bio, default: "")
            reader.integer("accent_color", in: 0...0xFF_FFFF).apply(to: &changed.accentColor)
            reader.string("pronouns", length: pronounsLength).apply(to: &changed.pronouns, default: "")
        }
        if user.isBot, changed.username.isEmpty {
            reader.refuse("username", code: "BASE_TYPE_REQUIRED", message: "This field is required")
        }
        try reader.finish()
        return changed
    }

    /// A person's name: capitals are taken as their small letters (protocol 10.1).
    private static func checked(_ name: String, _ reader: inout BodyReader) -> String {
        let small = String(decoding: name.utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }, as: UTF8.self)
        let isAllowed = small.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (48...57).contains(byte) || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "_")
        }
        if !isAllowed {
            reader.refuse(
                "username", code: "USERNAME_INVALID_CHARACTERS",
                message: "May contain only the letters a to z, digits, dots and underscores.")
        }
        return small
    }
}
