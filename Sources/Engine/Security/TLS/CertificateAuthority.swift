import COpenSSL
import FluxCore

/// Signs certificates: a key on the curve P-256 and its own certificate. A cluster has one, for its nodes.
public struct CertificateAuthority: Sendable {
    /// What a certificate is for and for how long.
    public struct Request: Sendable {
        /// The common name of its subject, at most 64 characters.
        public var commonName: String
        /// Host names that it is good for.
        public var hostNames: [String]
        /// IPv4 and IPv6 addresses that it is good for.
        public var addresses: [String]
        public var validFrom: Timestamp
        public var validUntil: Timestamp

        public init(
            commonName: String, hostNames: [String] = [], addresses: [String] = [],
            validFrom: Timestamp, validUntil: Timestamp
        ) {
            self.commonName = commonName
            self.hostNames = hostNames
            self.addresses = addresses
            self.validFrom = validFrom
            self.validUntil = validUntil
        }
    }

    private let certificate: CertificateHandle
    private let key: KeyHandle

    /// Certificate and key as PEM texts. Whoever holds the key can make members: store it in secret.
    public let identity: TLSIdentity

    /// SHA-256 of the certificate in DER.
    public let fingerprint: [UInt8]

    /// A new authority that signed itself.
    public static func generate(
        commonName: String, validFrom: Timestamp, validUntil: Timestamp
    ) throws(TLSError) -> CertificateAuthority {
        let key = try newKey()
        let request = Request(commonName: commonName, validFrom: validFrom, validUntil: validUntil)
        let certificate = try CertificateBuilder.build(request, key: key, issuer: nil, signingKey: key)
        return try CertificateAuthority(certificate: certificate, key: key)
    }

    /// An authority out of storage.
    public init(identity: TLSIdentity) throws(TLSError) {
        guard let certificate = PEM.certificates(in: identity.certificateChainPEM)?.first,
            let key = PEM.privateKey(in: identity.privateKeyPEM)
        else { throw .configuration("the authority's certificate or key cannot be read") }
        guard X509_check_private_key(certificate.pointer, key.pointer) == 1 else {
            _ = OpenSSLError.takeReason(otherwise: "")
            throw .configuration("the authority's key does not belong to its certificate")
        }
        try self.init(certificate: certificate, key: key)
    }

    private init(certificate: CertificateHandle, key: KeyHandle) throws(TLSError) {
        guard let certificatePEM = PEM.text(ofCertificate: certificate), let keyPEM = PEM.text(ofPrivateKey: key),
            let fingerprint = certificate.fingerprint
        else { throw .configuration(OpenSSLError.takeReason(otherwise: "out of memory")) }
        self.certificate = certificate
        self.key = key
        self.fingerprint = fingerprint
        self.identity = TLSIdentity(
            certificateChainPEM: Array(certificatePEM.utf8), privateKeyPEM: Array(keyPEM.utf8))
    }

    /// A new key with a certificate that this authority signed, good for servers and clients.
    public func issue(_ request: Request) throws(TLSError) -> TLSIdentity {
        let key = try Self.newKey()
        let certificate = try CertificateBuilder.build(
            request, key: key, issuer: self.certificate, signingKey: self.key)
        guard let certificatePEM = PEM.text(ofCertificate: certificate), let keyPEM = PEM.text(ofPrivateKey: key) else {
            throw .configuration(OpenSSLError.takeReason(otherwise: "out of memory"))
        }
        return TLSIdentity(certificateChainPEM: Array(certificatePEM.utf8), privateKeyPEM: Array(keyPEM.utf8))
    }

    /// A certificate for the key of a signing request, followed by this authority's own. Nothing but the key is taken from
    /// the signing request: what the certificate says is what `request` says.
    public func issue(
        _ request: Request, for signingRequest: CertificateSigningRequest
    ) throws(TLSError) -> [UInt8] {
        let issued = try CertificateBuilder.build(
            request, key: signingRequest.publicKey, issuer: certificate, signingKey: key)
        guard let own = PEM.text(ofCertificate: issued), let authority = PEM.text(ofCertificate: certificate) else {
            throw .configuration(OpenSSLError.takeReason(otherwise: "out of memory"))
        }
        return Array((own + authority).utf8)
    }

    static func newKey() throws(TLSError) -> KeyHandle {
        guard let key = flux_EVP_PKEY_generate_p256() else {
            throw .configuration(OpenSSLError.takeReason(otherwise: "no key"))
        }
        return KeyHandle(owning: key)
    }
}
