import FluxCore

/// What `POST /auth/login` asks for.
struct LoginForm: Sendable {
    /// A longer password is wrong without being hashed in full.
    static let passwordByteLimit = 1024

    /// A username or, with an `@` in it, an address.
    let login: String
    let password: String
    let returnsToken: Bool

    init(_ body: JSON) throws(APIError) {
        var reader = FormReader(body)
        login = reader.required("login") { text, _ in text }
        password = reader.required("password") { text, _ in text }
        returnsToken = reader.flag("return_token")
        try reader.check()
    }
}
