import COpenSSL

/// Owns one configured `SSL_CTX`, freed with the last reference; connections keep the one they began with.
///
/// `@unchecked Sendable`: the context is configured inside `init` and never changed afterwards; OpenSSL then allows
/// `SSL_new` from any thread, and its reference count is atomic.
final class TLSContextHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// What the ALPN callback reads; lives as long as the context.
    private let protocols: UnsafeMutablePointer<flux_alpn_protocols>

    init(_ configuration: TLSConfiguration) throws(TLSError) {
        guard let pointer = SSL_CTX_new(TLS_method()) else {
            throw .configuration(OpenSSLError.takeReason(otherwise: "no context"))
        }
        self.pointer = pointer
        self.protocols = .allocate(capacity: 1)
        self.protocols.initialize(to: flux_alpn_protocols())
        try setVersionsAndOptions(configuration)
        try setIdentity(configuration)
        try setTrust(configuration)
        try setProtocols(configuration)
    }

    deinit {
        SSL_CTX_free(pointer)
        protocols.deinitialize(count: 1)
        protocols.deallocate()
    }

    private func setVersionsAndOptions(_ configuration: TLSConfiguration) throws(TLSError) {
        let version = configuration.minimumVersion == .tls13 ? TLS1_3_VERSION : TLS1_2_VERSION
        try check(flux_SSL_CTX_set_min_proto_version(pointer, version) == 1, "the version")
        let suites = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
        try check(SSL_CTX_set_cipher_list(pointer, suites) == 1, "the cipher suites")
        // No session cache: it is memory per client. Resumption goes by tickets, which the client keeps.
        flux_SSL_CTX_set_session_cache_mode(pointer, Int(SSL_SESS_CACHE_OFF))
        SSL_CTX_set_options(pointer, Self.options)
        let mode = SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
        flux_SSL_CTX_set_mode(pointer, Int(mode))
    }

    private static var options: UInt64 {
        UInt64(SSL_OP_NO_RENEGOTIATION_BITS) | UInt64(SSL_OP_NO_COMPRESSION_BITS)
            | UInt64(SSL_OP_CIPHER_SERVER_PREFERENCE_BITS)
    }

    private func setIdentity(_ configuration: TLSConfiguration) throws(TLSError) {
        guard let identity = configuration.identity else {
            if case .server = configuration.role { throw .configuration("a server needs a certificate") }
            return
        }
        guard let chain = PEM.certificates(in: identity.certificateChainPEM), let own = chain.first else {
            throw .configuration("the certificate file holds no readable certificate")
        }
        guard let key = PEM.privateKey(in: identity.privateKeyPEM) else {
            throw .configuration("the key file holds no readable, unencrypted private key")
        }
        try check(SSL_CTX_use_certificate(pointer, own.pointer) == 1, "the certificate")
        for issuer in chain.dropFirst() {
            try check(flux_SSL_CTX_add1_chain_cert(pointer, issuer.pointer) == 1, "the certificate chain")
        }
        guard SSL_CTX_use_PrivateKey(pointer, key.pointer) == 1, SSL_CTX_check_private_key(pointer) == 1 else {
            _ = OpenSSLError.takeReason(otherwise: "")
            throw .configuration("the private key does not belong to the certificate")
        }
    }

    private func setTrust(_ configuration: TLSConfiguration) throws(TLSError) {
        switch configuration.role {
        case .server(nil):
            try check(SSL_CTX_set_num_tickets(pointer, 1) == 1, "the number of tickets")
        case .server(let authorities?):
            try trust(authorities)
            // A resumed session would skip the look at the certificate, and with it a revocation.
            try check(SSL_CTX_set_num_tickets(pointer, 0) == 1, "the number of tickets")
            SSL_CTX_set_options(pointer, UInt64(SSL_OP_NO_TICKET_BITS))
            let need = configuration.requiresPeerCertificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0
            SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | need, nil)
        case .client where configuration.pinnedAuthority != nil:
            // The handler verifies when the chain is there: what it leads to is not known before.
            SSL_CTX_set_verify(pointer, SSL_VERIFY_NONE, nil)
        case .client(nil):
            try check(SSL_CTX_set_default_verify_paths(pointer) == 1, "the system's authorities")
            SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        case .client(let authorities?):
            try trust(authorities)
            SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        }
    }

    private func trust(_ authorities: [UInt8]) throws(TLSError) {
        guard let certificates = PEM.certificates(in: authorities), !certificates.isEmpty else {
            throw .configuration("the authorities hold no readable certificate")
        }
        let store = SSL_CTX_get_cert_store(pointer)
        for certificate in certificates {
            try check(X509_STORE_add_cert(store, certificate.pointer) == 1, "an authority")
        }
    }

    private func setProtocols(_ configuration: TLSConfiguration) throws(TLSError) {
        guard !configuration.applicationProtocols.isEmpty else { return }
        var wire: [UInt8] = []
        for name in configuration.applicationProtocols {
            guard let length = UInt8(exactly: name.utf8.count), length > 0 else {
                throw .configuration("an application protocol's name has 1 to 255 bytes")
            }
            wire.append(length)
            wire.append(contentsOf: name.utf8)
        }
        guard wire.count <= 255 else { throw .configuration("too many application protocols") }
        switch configuration.role {
        case .server:
            protocols.pointee.length = UInt32(wire.count)
            withUnsafeMutableBytes(of: &protocols.pointee.bytes) { $0.copyBytes(from: wire) }
            flux_SSL_CTX_set_alpn_protocols(pointer, protocols)
        case .client:
            // This one function of OpenSSL answers 0 for success.
            try check(SSL_CTX_set_alpn_protos(pointer, wire, UInt32(wire.count)) == 0, "the application protocols")
        }
    }

    private func check(_ done: Bool, _ what: String) throws(TLSError) {
        guard done else {
            throw .configuration("\(what): \(OpenSSLError.takeReason(otherwise: "refused"))")
        }
    }
}
