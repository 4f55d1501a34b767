import COpenSSL

/// A key that verifies, RFC 8032. Verifying may run on any thread.
public struct Ed25519PublicKey: Sendable, Equatable {
    private let handle: KeyHandle

    /// The 32 bytes of the key.
    public let rawRepresentation: [UInt8]

    /// The key of its 32 bytes.
    public init(rawRepresentation bytes: [UInt8]) throws(Ed25519.Failure) {
        guard bytes.count == Ed25519.keyByteCount else { throw .notAKey }
        guard let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count) else {
            throw .refused(OpenSSLError.takeReason(otherwise: "no key"))
        }
        self.handle = KeyHandle(owning: key)
        self.rawRepresentation = bytes
    }

    /// Whether `signature` is one of `message` by this key. A signature of the wrong length is simply not valid.
    public func isValid(signature: some Collection<UInt8>, for message: some Collection<UInt8>) -> Bool {
        guard signature.count == Ed25519.signatureByteCount, let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        let valid = withContiguousBytes(of: signature) { signature in
            withContiguousBytes(of: message) { message in
                EVP_DigestVerifyInit(context, nil, nil, nil, handle.pointer) == 1
                    && EVP_DigestVerify(
                        context, signature.baseAddress, signature.count, message.baseAddress, message.count) == 1
            }
        }
        // A refused signature leaves its reason on the thread's queue, where it would confuse a later TLS call.
        if !valid { ERR_clear_error() }
        return valid
    }

    public static func == (left: Ed25519PublicKey, right: Ed25519PublicKey) -> Bool {
        left.rawRepresentation == right.rawRepresentation
    }
}
