import COpenSSL

/// A key that signs, RFC 8032. Signing is deterministic, needs no randomness and may run on any thread.
public struct Ed25519PrivateKey: Sendable {
    private let handle: KeyHandle

    /// The half that verifies.
    public let publicKey: Ed25519PublicKey

    /// The 32-byte seed. Whoever holds it signs as this key: store it in secret, never log it.
    public let rawRepresentation: [UInt8]

    /// A new random key.
    public static func generate() throws(Ed25519.Failure) -> Ed25519PrivateKey {
        try Ed25519PrivateKey(rawRepresentation: SecureRandom.bytes(Ed25519.keyByteCount))
    }

    /// The key of a 32-byte seed.
    public init(rawRepresentation seed: [UInt8]) throws(Ed25519.Failure) {
        guard seed.count == Ed25519.keyByteCount else { throw .notAKey }
        guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
            throw .refused(OpenSSLError.takeReason(otherwise: "no key"))
        }
        try self.init(handle: KeyHandle(owning: key))
    }

    /// The key in an unencrypted PEM text (PKCS#8).
    public init(pem: String) throws(Ed25519.Failure) {
        guard let pair = PEM.privateKey(in: Array(pem.utf8)) else { throw .notAKey }
        try self.init(handle: pair)
    }

    private init(handle: KeyHandle) throws(Ed25519.Failure) {
        guard EVP_PKEY_get_base_id(handle.pointer) == EVP_PKEY_ED25519 else { throw .notAKey }
        var seed = [UInt8](repeating: 0, count: Ed25519.keyByteCount)
        var seedCount = seed.count
        var point = [UInt8](repeating: 0, count: Ed25519.keyByteCount)
        var pointCount = point.count
        guard EVP_PKEY_get_raw_private_key(handle.pointer, &seed, &seedCount) == 1,
            EVP_PKEY_get_raw_public_key(handle.pointer, &point, &pointCount) == 1
        else { throw .refused(OpenSSLError.takeReason(otherwise: "no raw key")) }
        self.handle = handle
        self.rawRepresentation = seed
        self.publicKey = try Ed25519PublicKey(rawRepresentation: point)
    }

    /// The key as an unencrypted PEM text (PKCS#8).
    public func pem() throws(Ed25519.Failure) -> String {
        guard let text = PEM.text(ofPrivateKey: handle) else {
            throw .refused(OpenSSLError.takeReason(otherwise: "no PEM"))
        }
        return text
    }

    /// The 64-byte signature of `message`.
    public func signature(for message: some Collection<UInt8>) throws(Ed25519.Failure) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw .refused("out of memory") }
        defer { EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: Ed25519.signatureByteCount)
        var count = signature.count
        let done = withContiguousBytes(of: message) { message in
            EVP_DigestSignInit(context, nil, nil, nil, handle.pointer) == 1
                && EVP_DigestSign(context, &signature, &count, message.baseAddress, message.count) == 1
        }
        guard done, count == Ed25519.signatureByteCount else {
            throw .refused(OpenSSLError.takeReason(otherwise: "no signature"))
        }
        return signature
    }
}
