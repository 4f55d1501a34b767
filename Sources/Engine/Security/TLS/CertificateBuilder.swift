import COpenSSL
import FluxCore

/// Makes X.509 certificates of version 3 (RFC 5280), signed with SHA-256.
enum CertificateBuilder {
    /// A certificate of `key` by `issuer`; without an issuer an authority that signs itself.
    static func build(
        _ request: CertificateAuthority.Request, key: KeyHandle, issuer: CertificateHandle?, signingKey: KeyHandle
    ) throws(TLSError) -> CertificateHandle {
        guard let pointer = X509_new() else { throw .configuration("out of memory") }
        let certificate = CertificateHandle(owning: pointer)
        try check(X509_set_version(pointer, Int(X509_VERSION_3)))
        try setSerialNumber(of: pointer)
        try check(ASN1_TIME_set(X509_getm_notBefore(pointer), Int(request.validFrom.seconds)) != nil ? 1 : 0)
        try check(ASN1_TIME_set(X509_getm_notAfter(pointer), Int(request.validUntil.seconds)) != nil ? 1 : 0)
        let subject = X509_get_subject_name(pointer)
        try check(
            X509_NAME_add_entry_by_NID(
                subject, NID_commonName, MBSTRING_UTF8, Array(request.commonName.utf8),
                Int32(request.commonName.utf8.count), -1, 0))
        try check(X509_set_issuer_name(pointer, issuer.map { X509_get_subject_name($0.pointer) } ?? subject))
        try check(X509_set_pubkey(pointer, key.pointer))
        for (identifier, value) in try extensions(request, isAuthority: issuer == nil) {
            try add(identifier, value, to: pointer, issuer: issuer?.pointer ?? pointer)
        }
        guard X509_sign(pointer, signingKey.pointer, EVP_sha256()) > 0 else {
            throw .configuration(OpenSSLError.takeReason(otherwise: "the certificate cannot be signed"))
        }
        return certificate
    }

    private static func extensions(
        _ request: CertificateAuthority.Request, isAuthority: Bool
    ) throws(TLSError) -> [(Int32, String)] {
        var extensions: [(Int32, String)] = [(NID_subject_key_identifier, "hash")]
        if isAuthority {
            extensions.append((NID_basic_constraints, "critical,CA:TRUE,pathlen:0"))
            extensions.append((NID_key_usage, "critical,keyCertSign,cRLSign"))
        } else {
            extensions.append((NID_authority_key_identifier, "keyid"))
            extensions.append((NID_basic_constraints, "critical,CA:FALSE"))
            extensions.append((NID_key_usage, "critical,digitalSignature"))
            extensions.append((NID_ext_key_usage, "serverAuth,clientAuth"))
        }
        let names = request.hostNames.map { ("DNS", $0) } + request.addresses.map { ("IP", $0) }
        if !names.isEmpty {
            // OpenSSL reads this as a small language of its own; a name must not be able to say anything in it.
            guard names.allSatisfy({ $0.1.utf8.allSatisfy(isNameCharacter) && !$0.1.isEmpty }) else {
                throw .configuration("a host name or address has characters that none has")
            }
            extensions.append((NID_subject_alt_name, names.map { "\($0.0):\($0.1)" }.joined(separator: ",")))
        }
        return extensions
    }

    private static func isNameCharacter(_ character: UInt8) -> Bool {
        switch character {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: ".-_:*".utf8.contains(character)
        }
    }

    private static func setSerialNumber(of certificate: OpaquePointer) throws(TLSError) {
        // 127 random bits: positive, and never twice.
        var bytes = SecureRandom.bytes(16)
        bytes[0] &= 0x7F
        guard let number = BN_bin2bn(bytes, Int32(bytes.count), nil) else { throw .configuration("out of memory") }
        defer { BN_free(number) }
        try check(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil ? 1 : 0)
    }

    private static func add(
        _ identifier: Int32, _ value: String, to certificate: OpaquePointer, issuer: OpaquePointer
    ) throws(TLSError) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer, certificate, nil, nil, 0)
        guard let made = X509V3_EXT_conf_nid(nil, &context, identifier, value) else {
            throw .configuration(OpenSSLError.takeReason(otherwise: "the extension \(value) cannot be made"))
        }
        defer { X509_EXTENSION_free(made) }
        try check(X509_add_ext(certificate, made, -1))
    }

    private static func check(_ result: Int32) throws(TLSError) {
        guard result == 1 else {
            throw .configuration(OpenSSLError.takeReason(otherwise: "the certificate cannot be made"))
        }
    }
}
