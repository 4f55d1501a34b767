import FluxCore

/// The secret of a bot (protocol 3.4): `base64url(decimal id) "." time of minting "." 256 random bits`.
///
/// Libraries read the first part; the second only makes two tokens of one bot easy to tell apart; the third is the secret.
public struct BotToken: Sendable, Equatable {
    /// The longest text that is looked at, in bytes. Ours have 77 at most.
    public static let byteLimit = 256

    /// Whose token it is, by its own word: compare ``hash`` with the stored one before believing it.
    public let botID: UserID

    /// The token as the bot sends it. Shown once, when it is minted; never stored or logged.
    public let text: String

    /// A new token of that bot.
    public static func mint(for botID: UserID, at now: Timestamp) -> BotToken {
        let seconds = UInt32(truncatingIfNeeded: now.seconds)
        let minted = (0..<4).map { UInt8(truncatingIfNeeded: seconds >> (24 - 8 * $0)) }
        let parts = [
            Base64URL.encode(botID.description.utf8), Base64URL.encode(minted), SecureRandom.text(byteCount: 32),
        ]
        return BotToken(botID: botID, text: parts.joined(separator: "."))
    }

    /// The token that `text` spells; nil for everything that has not the form of one.
    public init?(parsing text: some StringProtocol) {
        guard text.utf8.prefix(Self.byteLimit + 1).count <= Self.byteLimit else { return nil }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1].count >= 6, parts[2].count >= 27,
            parts[1].allSatisfy(Base64URL.isInAlphabet), parts[2].allSatisfy(Base64URL.isInAlphabet),
            let digits = Base64URL.decode(utf8: parts[0]), digits.first != UInt8(ascii: "0"),
            let botID = Snowflake(String(decoding: digits, as: UTF8.self))
        else { return nil }
        self.init(botID: botID, text: String(text))
    }

    private init(botID: UserID, text: String) {
        self.botID = botID
        self.text = text
    }

    /// What the store keeps: SHA-256 of the text. The secret is random in full length, so a slow hash would add nothing.
    public var hash: [UInt8] { Digest.sha256(text.utf8) }
}
