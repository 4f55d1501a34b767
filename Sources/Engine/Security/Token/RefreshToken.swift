/// What a login shows to get its next access token (protocol 10.1): 256 random bits, good once.
public struct RefreshToken: Sendable, Equatable {
    /// How long one lives: 30 days, in seconds.
    public static let lifetimeSeconds: Int64 = 30 * 86400

    private static let byteCount = 32
    private static let characterCount = 43

    /// The token as the client sends it. Never stored or logged.
    public let text: String

    /// A new token.
    public static func mint() -> RefreshToken {
        RefreshToken(text: SecureRandom.text(byteCount: byteCount))
    }

    /// The token that `text` spells; nil for everything that has not the form of one.
    public init?(parsing text: some StringProtocol) {
        guard text.utf8.prefix(Self.characterCount + 1).count == Self.characterCount,
            Base64URL.decode(text)?.count == Self.byteCount
        else { return nil }
        self.init(text: String(text))
    }

    private init(text: String) {
        self.text = text
    }

    /// What the store keeps: SHA-256 of the text.
    public var hash: [UInt8] { Digest.sha256(text.utf8) }
}
