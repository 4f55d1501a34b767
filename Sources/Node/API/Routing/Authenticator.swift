import FluxCore
import FluxSecurity
import HTTPTypes

/// Decides who sent a request (protocol 3.4), and whether a cookie may speak for them (10.1).
public protocol Authenticator: Sendable {
    /// The credential of a request, nil if it carries none.
    ///
    /// Throws `APIError` 401/0 for a wrong, expired or ended credential and 403/40333 for a write that a foreign origin
    /// sent with our cookies. An `Authorization` header wins over cookies.
    func authenticate(_ head: HTTPRequest, from address: ClientAddress) async throws -> Credential?
}

/// Who sent a request, as proven by its credential.
public struct Credential: Hashable, Sendable {
    /// The user, or the bot's user.
    public let userID: UserID
    /// Whether the credential is a bot token.
    public let isBot: Bool
    /// The login that a person's token belongs to; nil for bots.
    public let loginID: LoginID?

    /// Makes the credential that an authenticator has verified.
    public init(userID: UserID, isBot: Bool, loginID: LoginID? = nil) {
        self.userID = userID
        self.isBot = isBot
        self.loginID = loginID
    }
}

/// Who may call a route at all; what they may do there is the actors' business.
public enum Access: Sendable {
    /// Anyone, without credential. One that is sent is not looked at.
    case anyone
    /// A person or a bot.
    case user
    /// A person; bots are told 403/20001.
    case person
    /// A bot; people are told 403/20002.
    case bot
}
