import FluxCore
import FluxRealtime
import FluxSecurity
import HTTPTypes

/// Finds out who sends a request or opens a gateway session: a bot by its token, a person by an access token in the
/// header or in the cookie.
public struct AccountAuthenticator: Authenticator {
    private let tokens: AccessTokens
    private let ended: EndedLogins
    private let bots: BotCredentials
    private let origin: PublicOrigin

    public init(tokens: AccessTokens, ended: EndedLogins, bots: BotCredentials, origin: PublicOrigin) {
        self.tokens = tokens
        self.ended = ended
        self.bots = bots
        self.origin = origin
    }

    public func authenticate(_ head: HTTPRequest, from address: ClientAddress) async throws -> Credential? {
        let fields = head.headerFields
        if let header = fields[.authorization] {
            guard let credential = try await credential(ofHeader: header) else { throw APIError.unauthorized }
            return credential
        }
        guard let cookie = SessionCookies.accessToken(in: fields) else { return nil }
        guard let credential = try await person(cookie) else { throw APIError.unauthorized }
        let isWrite = head.method != .get && head.method != .head
        if isWrite, !origin.allowsWrite(fields) { throw APIError.crossOrigin }
        return credential
    }

    /// Who a token in IDENTIFY or RESUME belongs to; nil where it is not valid, which closes the connection with 4004.
    ///
    /// The cookie of an upgrade request comes here as its value, after the gateway has looked at the origin.
    public func identity(forToken token: String) async throws -> GatewayIdentity? {
        let credential: Credential?
        if let prefixed = Self.split(token) {
            credential = try await self.credential(prefixed.scheme, prefixed.token)
        } else if let bot = BotToken(parsing: token) {
            credential = try await self.bot(bot)
        } else {
            credential = try await person(token)
        }
        guard let credential else { return nil }
        return GatewayIdentity(userID: credential.userID, isBot: credential.isBot, loginID: credential.loginID)
    }

    private func credential(ofHeader header: String) async throws -> Credential? {
        guard let (scheme, token) = Self.split(header) else { return try await person(header) }
        return try await credential(scheme, token)
    }

    private func credential(_ scheme: String, _ token: String) async throws -> Credential? {
        switch scheme {
        case "bot":
            guard let parsed = BotToken(parsing: token) else { return nil }
            return try await bot(parsed)
        case "bearer": return try await person(token)
        default: return nil
        }
    }

    private func bot(_ token: BotToken) async throws -> Credential? {
        try await bots.isValid(token) ? Credential(userID: token.botID, isBot: true) : nil
    }

    private func person(_ token: String) async throws -> Credential? {
        guard let claims = try await tokens.verify(token), !ended.contains(claims.loginID) else { return nil }
        return Credential(userID: claims.userID, isBot: false, loginID: claims.loginID)
    }

    /// Scheme, in lower case, and token of `Scheme token`; nil without a space.
    private static func split(_ text: String) -> (scheme: String, token: String)? {
        guard let space = text.firstIndex(of: " ") else { return nil }
        let token = text[space...].drop { $0 == " " }
        return (text[..<space].lowercased(), String(token))
    }
}
