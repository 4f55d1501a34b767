import COpenSSL
import NIOCore

/// One TLS connection over two memory BIOs: encrypted bytes in and out, plain bytes in and out, no socket.
///
/// Not Sendable: one handler uses it, on one event loop. Every failure empties the thread's OpenSSL error queue, so that
/// the next connection on this loop does not read a foreign reason.
///
/// Memory: network bytes go in by chunks of at most ``inputChunk`` bytes, each consumed before the next, so the inbound BIO never
/// holds more than one chunk; OpenSSL keeps at most one record (16 KiB) beside it and gives that buffer back
/// when the connection is idle. The outbound BIO is emptied after every step and replaced when one step made it large.
final class TLSConnection {
    /// The result of asking OpenSSL to go on.
    enum Step: Equatable {
        /// It did, with so many plain bytes where bytes were asked for.
        case advanced(Int)
        /// It needs more bytes of the peer.
        case wantsInput
        /// The peer sent close_notify.
        case closedByPeer
        /// It is over, for this reason. An alert may wait in the outbound BIO.
        case failed(String)
    }

    /// Most network bytes that one ``receive(_:)`` takes.
    static let inputChunk = 4096

    /// Most plain bytes that a record carries.
    static let recordByteCount = 16 * 1024

    /// Room for plain bytes that a read is given at least.
    private static let smallestRead = 512

    /// Above this an idle connection's outbound BIO is replaced by a new one.
    private static let idleOutputCapacity = 8 * 1024

    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private var output: OpaquePointer

    /// Keeps the context, and with it the ALPN list, alive.
    private let context: TLSContextHandle

    init(context: TLSContextHandle, role: TLSConfiguration.Role, serverName: String?) throws(TLSError) {
        guard let ssl = SSL_new(context.pointer) else {
            throw .configuration(OpenSSLError.takeReason(otherwise: "no connection"))
        }
        guard let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            throw .configuration("out of memory")
        }
        flux_BIO_set_retry_when_empty(input)
        flux_BIO_set_retry_when_empty(output)
        // From here on `ssl` owns both BIOs.
        SSL_set_bio(ssl, input, output)
        self.context = context
        self.ssl = ssl
        self.input = input
        self.output = output
        switch role {
        case .server: SSL_set_accept_state(ssl)
        case .client:
            SSL_set_connect_state(ssl)
            if let serverName { try expect(serverName) }
        }
    }

    deinit {
        SSL_free(ssl)
    }

    private func expect(_ serverName: String) throws(TLSError) {
        let parameters = SSL_get0_param(ssl)
        // An address stands in the certificate as an address, and SNI carries names only.
        if X509_VERIFY_PARAM_set1_ip_asc(parameters, serverName) == 1 { return }
        ERR_clear_error()
        SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        guard SSL_set1_host(ssl, serverName) == 1, flux_SSL_set_host_name(ssl, serverName) == 1 else {
            throw .configuration(OpenSSLError.takeReason(otherwise: "the server name cannot be used"))
        }
    }

    /// Hands over the peer's next bytes, at most ``inputChunk`` of them, and says how many were taken.
    func receive(_ bytes: ByteBufferView) -> Int {
        let count = min(bytes.count, Self.inputChunk)
        let taken = withContiguousBytes(of: bytes.prefix(count)) { buffer in
            BIO_write(input, buffer.baseAddress, Int32(buffer.count))
        }
        return max(0, Int(taken))
    }

    /// Goes on with the handshake.
    func handshake() -> Step {
        let result = SSL_do_handshake(ssl)
        return result == 1 ? .advanced(0) : step(after: result)
    }

    /// Decrypts into `buffer`, at most one record; a record that does not fit goes on with the next call.
    func read(into buffer: inout ByteBuffer) -> Step {
        var result: Int32 = 0
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.smallestRead) { target in
            result = SSL_read(ssl, target.baseAddress, Int32(clamping: target.count))
            return max(0, Int(result))
        }
        return result > 0 ? .advanced(Int(result)) : step(after: result)
    }

    /// Encrypts `bytes`, at most one record of them.
    func write(_ bytes: ByteBufferView) -> Step {
        let result = withContiguousBytes(of: bytes.prefix(Self.recordByteCount)) { buffer in
            SSL_write(ssl, buffer.baseAddress, Int32(buffer.count))
        }
        return result > 0 ? .advanced(Int(result)) : step(after: result)
    }

    /// Puts our close_notify into the outbound BIO, once.
    func close() {
        guard SSL_is_init_finished(ssl) == 1, SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN == 0 else { return }
        if SSL_shutdown(ssl) < 0 { ERR_clear_error() }
    }

    /// Whether one direction may end before the other: not so in TLS 1.2, whose close_notify ends both.
    var allowsHalfClosure: Bool { SSL_version(ssl) >= TLS1_3_VERSION }

    /// Number of encrypted bytes for the peer.
    var outputByteCount: Int { Int(BIO_ctrl_pending(output)) }

    /// Takes all encrypted bytes for the peer away, appended to `buffer`.
    func drainOutput(into buffer: inout ByteBuffer) {
        var start: UnsafePointer<UInt8>?
        let count = flux_BIO_get_mem_data(output, &start)
        guard count > 0, let start else { return }
        buffer.writeBytes(UnsafeRawBufferPointer(start: start, count: count))
        _ = flux_BIO_reset(output)
    }

    /// Gives the memory of a large step back. Call it when the connection falls idle, with nothing to drain.
    func trimOutput() {
        guard flux_BIO_mem_capacity(output) > Self.idleOutputCapacity, BIO_ctrl_pending(output) == 0,
            let fresh = BIO_new(BIO_s_mem())
        else { return }
        flux_BIO_set_retry_when_empty(fresh)
        // Frees the BIO in use and owns the new one.
        SSL_set0_wbio(ssl, fresh)
        output = fresh
    }

    /// What was agreed on. Meaningful after the handshake.
    var summary: TLSHandshake {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &length)
        let agreed = UnsafeBufferPointer(start: name, count: Int(length))
        let peer = SSL_get1_peer_certificate(ssl).map(CertificateHandle.init(owning:))
        return TLSHandshake(
            version: String(cString: SSL_get_version(ssl)),
            cipherSuite: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } ?? "",
            applicationProtocol: agreed.isEmpty ? nil : String(decoding: agreed, as: UTF8.self),
            serverName: SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) },
            peerFingerprint: peer?.fingerprint, peerHostNames: peer?.hostNames ?? [])
    }

    /// Whether the server sent the certificate with this SHA-256, and one of its own that this one vouches for. Meaningful
    /// after a client's handshake.
    func peerLeads(toAuthority fingerprint: [UInt8]) -> Bool {
        defer { ERR_clear_error() }
        let chain = SSL_get_peer_cert_chain(ssl)
        guard let leaf = SSL_get0_peer_certificate(ssl) else { return false }
        for index in 0..<flux_X509_chain_count(chain) {
            guard let certificate = flux_X509_chain_at(chain, index), X509_up_ref(certificate) == 1 else { continue }
            let authority = CertificateHandle(owning: certificate)
            if authority.fingerprint == fingerprint {
                return flux_X509_leads_to(leaf, chain, certificate) == 1
            }
        }
        return false
    }

    private func step(after result: Int32) -> Step {
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ:
            return .wantsInput
        case SSL_ERROR_ZERO_RETURN:
            return .closedByPeer
        default:
            let verification = SSL_get_verify_result(ssl)
            let reason = OpenSSLError.takeReason(otherwise: "the connection broke")
            guard verification != X509_V_OK, let text = X509_verify_cert_error_string(verification) else {
                return .failed(reason)
            }
            return .failed("\(reason) (\(String(cString: text)))")
        }
    }
}
