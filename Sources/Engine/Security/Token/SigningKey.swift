import FluxCore

/// A key that signs access tokens for a while, as it lies in the store and as every node holds it.
///
/// A successor signs only some time after it was made, when every node knows it; and each key still checks until the last
/// token that it can have signed is out of date.
public struct SigningKey: Sendable, Equatable {
    /// How long a key is meant to sign before its successor does: 7 days, in seconds.
    public static let rotationSeconds: Int64 = 7 * 86400

    /// How long before its first signature a successor is made, so that every node has read it: 10 minutes, in seconds.
    public static let announcementSeconds: Int64 = 600

    /// The `kid`: derived from the public key, so that a name stands for one key for ever.
    public let keyID: String

    /// The key itself. Its ``Ed25519PrivateKey/rawRepresentation`` is what the store keeps.
    public let privateKey: Ed25519PrivateKey

    public let createdAt: Timestamp

    /// The first moment at which it may sign.
    public let signsFrom: Timestamp

    /// The last moment at which it still checks. A key that nobody succeeded goes on until then.
    public let checksUntil: Timestamp

    /// A key out of the store.
    public init(
        rawPrivateKey: [UInt8], createdAt: Timestamp, signsFrom: Timestamp, checksUntil: Timestamp
    ) throws(Ed25519.Failure) {
        self.init(
            privateKey: try Ed25519PrivateKey(rawRepresentation: rawPrivateKey),
            createdAt: createdAt, signsFrom: signsFrom, checksUntil: checksUntil)
    }

    /// A new random key that signs from `signsFrom` on.
    public static func generate(at now: Timestamp, signsFrom: Timestamp) throws(Ed25519.Failure) -> SigningKey {
        // Twice the time it is meant to sign: room for a cluster that stood still when its successor was due.
        SigningKey(
            privateKey: try Ed25519PrivateKey.generate(), createdAt: now, signsFrom: signsFrom,
            checksUntil: signsFrom.adding(seconds: 2 * rotationSeconds))
    }

    private init(privateKey: Ed25519PrivateKey, createdAt: Timestamp, signsFrom: Timestamp, checksUntil: Timestamp) {
        self.keyID = Base64URL.encode(Digest.sha256(privateKey.publicKey.rawRepresentation).prefix(12))
        self.privateKey = privateKey
        self.createdAt = createdAt
        self.signsFrom = signsFrom
        self.checksUntil = checksUntil
    }

    /// Whether every token that it signs at `now` can be checked until the token's end.
    func maySign(at now: Timestamp) -> Bool {
        let lastUse = now.adding(seconds: AccessClaims.lifetimeSeconds + AccessClaims.clockSkewSeconds)
        return signsFrom <= now && lastUse <= checksUntil
    }

    public static func == (left: SigningKey, right: SigningKey) -> Bool {
        left.keyID == right.keyID && left.signsFrom == right.signsFrom && left.checksUntil == right.checksUntil
    }
}
