import FluxCore

/// The keys that sign and check access tokens, as a value without I/O.
///
/// All nodes hold the rows of one table; which key signs is a function of those rows and the time, so they need not talk
/// about a rotation. A holder reads the table now and then, makes ``successor(at:)`` where one is due, stores it, and
/// reads again; that two nodes do so at once is harmless.
public struct SigningKeyRing: Sendable {
    private var keys: [String: SigningKey] = [:]

    public init(_ keys: [SigningKey] = []) {
        for key in keys { insert(key) }
    }

    /// Adds a key, or takes the store's newer dates of a known one.
    public mutating func insert(_ key: SigningKey) {
        keys[key.keyID] = key
    }

    /// Forgets keys that check nothing any more.
    public mutating func prune(at now: Timestamp) {
        keys = keys.filter { $0.value.checksUntil > now }
    }

    /// The key that signs: of those in force the newest. Nil for a ring that needs a ``successor(at:)`` first.
    public func signingKey(at now: Timestamp) -> SigningKey? {
        keys.values.filter { $0.maySign(at: now) }.max { left, right in
            (left.signsFrom, left.keyID) < (right.signsFrom, right.keyID)
        }
    }

    /// A new key, if one is due: at once where none can sign, else ``SigningKey/announcementSeconds`` before the newest has
    /// signed for ``SigningKey/rotationSeconds``.
    public func successor(at now: Timestamp) throws(Ed25519.Failure) -> SigningKey? {
        guard signingKey(at: now) != nil else { return try SigningKey.generate(at: now, signsFrom: now) }
        let newest = keys.values.map(\.signsFrom).max() ?? now
        let handover = newest.adding(seconds: SigningKey.rotationSeconds)
        guard handover.adding(seconds: -SigningKey.announcementSeconds) <= now else { return nil }
        let announced = now.adding(seconds: SigningKey.announcementSeconds)
        return try SigningKey.generate(at: now, signsFrom: max(handover, announced))
    }

    /// The text of a new token for that login.
    public func issue(
        userID: UserID, loginID: LoginID, at now: Timestamp
    ) throws(JSONWebToken.Failure) -> String {
        guard let key = signingKey(at: now) else { throw .signingFailed }
        let claims = AccessClaims(
            userID: userID, loginID: loginID, tokenID: SecureRandom.text(byteCount: 12), at: now)
        return try JSONWebToken.sign(claims, keyID: key.keyID, with: key.privateKey)
    }

    /// The claims of `text` if a key of the ring signed it and it is in date.
    public func verify(
        _ text: some StringProtocol, at now: Timestamp
    ) throws(JSONWebToken.Failure) -> AccessClaims {
        let token = try JSONWebToken(decoding: text)
        guard let key = keys[token.keyID], key.checksUntil > now else { throw .unknownKey(token.keyID) }
        guard token.isSigned(by: key.privateKey.publicKey) else { throw .badSignature }
        guard token.claims.isInDate(at: now) else { throw .outOfDate }
        return token.claims
    }
}
