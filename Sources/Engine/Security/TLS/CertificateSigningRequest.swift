import COpenSSL

/// Asks an authority for a certificate (PKCS#10, RFC 2986): a public key, signed with its private half.
///
/// Reading is total; what was read proved that its sender holds the private key. Only keys on the curve P-256 are taken.
public struct CertificateSigningRequest: Sendable {
    /// A longer one is not looked at. Ours have about 200 bytes.
    public static let byteLimit = 4096

    /// The request in DER.
    public let bytes: [UInt8]

    /// The key that the certificate will be for.
    let publicKey: KeyHandle

    /// SHA-256 of the public key: the same key asks under the same name again and again, whatever its request looks like.
    public let keyFingerprint: [UInt8]

    /// A new key and a request for it. The key is a PEM text, unencrypted: store it in secret.
    public static func generate() throws(TLSError) -> (request: CertificateSigningRequest, privateKeyPEM: [UInt8]) {
        let key = try CertificateAuthority.newKey()
        guard let text = PEM.text(ofPrivateKey: key) else {
            throw .configuration(OpenSSLError.takeReason(otherwise: "out of memory"))
        }
        return (try CertificateSigningRequest(key: key), Array(text.utf8))
    }

    /// A request for a key that exists, as the PEM text that `generate` gave.
    public init(privateKeyPEM: [UInt8]) throws(TLSError) {
        guard let key = PEM.privateKey(in: privateKeyPEM), flux_EVP_PKEY_is_p256(key.pointer) == 1 else {
            throw .configuration("the key cannot be read, or is not one on the curve P-256")
        }
        try self.init(key: key)
    }

    /// Reads what another node sent; nil unless it is one whole request, signed with its own key.
    public init?(parsing bytes: [UInt8]) {
        guard bytes.count <= Self.byteLimit else { return nil }
        defer { ERR_clear_error() }
        let parsed = bytes.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var position = buffer.baseAddress
            guard let request = d2i_X509_REQ(nil, &position, buffer.count) else { return nil }
            guard position == buffer.baseAddress.map({ $0 + buffer.count }) else {
                X509_REQ_free(request)
                return nil
            }
            return request
        }
        guard let parsed else { return nil }
        defer { X509_REQ_free(parsed) }
        guard let pointer = X509_REQ_get_pubkey(parsed) else { return nil }
        let key = KeyHandle(owning: pointer)
        guard flux_EVP_PKEY_is_p256(pointer) == 1, X509_REQ_verify(parsed, pointer) == 1,
            let fingerprint = Self.fingerprint(of: key)
        else { return nil }
        self.bytes = bytes
        publicKey = key
        keyFingerprint = fingerprint
    }

    private init(key: KeyHandle) throws(TLSError) {
        guard let request = X509_REQ_new() else { throw .configuration("out of memory") }
        defer { X509_REQ_free(request) }
        guard X509_REQ_set_version(request, 0) == 1, X509_REQ_set_pubkey(request, key.pointer) == 1,
            X509_REQ_sign(request, key.pointer, EVP_sha256()) > 0,
            let bytes = Self.encoded({ i2d_X509_REQ(request, $0) }), let fingerprint = Self.fingerprint(of: key)
        else { throw .configuration(OpenSSLError.takeReason(otherwise: "the request cannot be signed")) }
        self.bytes = bytes
        publicKey = key
        keyFingerprint = fingerprint
    }

    private static func fingerprint(of key: KeyHandle) -> [UInt8]? {
        encoded { i2d_PUBKEY(key.pointer, $0) }.map { Digest.sha256($0) }
    }

    /// The DER form that one of OpenSSL's encoders gives.
    private static func encoded(_ encode: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8]? {
        let count = encode(nil)
        guard count > 0 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
            var position = buffer.baseAddress
            initialized = Int(max(0, encode(&position)))
        }
    }
}
