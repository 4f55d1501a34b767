import FluxCore

/// What `POST /auth/register` asks for, checked; what is wrong with it comes as one refusal with every complaint.
struct RegistrationForm: Sendable {
    /// Lower case.
    let username: String
    let password: String
    let email: String?
    let globalName: String?
    let invite: String?
    let returnsToken: Bool

    init(_ body: JSON) throws(APIError) {
        var reader = FormReader(body)
        username = reader.required("username", Self.readUsername)
        password = reader.required("password", Self.readPassword)
        email = reader.optional("email", Self.readEmail)
        globalName = reader.optional("global_name") { (text: String, complain: FormReader.Complain) in
            Self.readText(text, lengths: 0...32, complain)
        }.flatMap { $0.isEmpty ? nil : $0 }
        invite = reader.optional("invite") { (text: String, complain: FormReader.Complain) in
            Self.readText(text, lengths: 0...100, complain)
        }.flatMap { $0.isEmpty ? nil : $0 }
        returnsToken = reader.flag("return_token")
        try reader.check()
    }

    /// 2 to 32 of `a-z 0-9 . _`; capitals are taken as their small letters.
    private static func readUsername(_ text: String, _ complain: FormReader.Complain) -> String {
        let small = String(decoding: text.utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }, as: UTF8.self)
        if !(2...32).contains(small.unicodeScalars.count) {
            complain("BASE_TYPE_BAD_LENGTH", "Must be between 2 and 32 in length.")
        } else if !small.utf8.allSatisfy(isUsernameCharacter) {
            complain(
                "USERNAME_INVALID_CHARACTERS", "May contain only the letters a to z, digits, dots and underscores.")
        }
        return small
    }

    private static func isUsernameCharacter(_ character: UInt8) -> Bool {
        switch character {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// At least 8 characters; at most 1,024 bytes, so that nobody can make us hash megabytes.
    private static func readPassword(_ text: String, _ complain: FormReader.Complain) -> String {
        if text.unicodeScalars.count < 8 {
            complain("PASSWORD_BAD_LENGTH", "Must be at least 8 characters long.")
        } else if text.utf8.count > LoginForm.passwordByteLimit {
            complain("PASSWORD_BAD_LENGTH", "Must be at most \(LoginForm.passwordByteLimit) bytes long.")
        }
        return text
    }

    /// Something before and behind one `@`, no white space, at most 254 bytes (RFC 5321). Whether it exists is not asked.
    private static func readEmail(_ text: String, _ complain: FormReader.Complain) -> String {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        let isPlain = text.unicodeScalars.allSatisfy { !$0.properties.isWhitespace && $0.value > 32 && $0.value != 127 }
        if parts.count != 2 || parts.contains(where: \.isEmpty) || !isPlain || text.utf8.count > 254 {
            complain("EMAIL_TYPE_INVALID_EMAIL", "Not a well formed email address.")
        }
        return text
    }

    private static func readText(
        _ text: String, lengths: ClosedRange<Int>, _ complain: FormReader.Complain
    ) -> String {
        if !lengths.contains(text.unicodeScalars.count) {
            complain("BASE_TYPE_BAD_LENGTH", "Must be \(lengths.upperBound) or fewer in length.")
        }
        return text
    }
}
