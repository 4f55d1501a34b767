import COpenSSL

/// Keys and certificates as PEM text, RFC 7468. Encrypted keys are refused, never asked for on the terminal.
enum PEM {
    /// The first private key in `text`, or nil where there is none that can be read.
    static func privateKey(in text: [UInt8]) -> KeyHandle? {
        withReader(over: text) { reader in
            let key = flux_PEM_read_private_key(reader)
            if key == nil { ERR_clear_error() }
            return key.map(KeyHandle.init(owning:))
        }
    }

    /// Every certificate in `text`, in its order; nil where one of them cannot be read. At most 100 are looked at.
    static func certificates(in text: [UInt8]) -> [CertificateHandle]? {
        withReader(over: text) { reader in
            var certificates: [CertificateHandle] = []
            while certificates.count < 100, let certificate = flux_PEM_read_certificate(reader) {
                certificates.append(CertificateHandle(owning: certificate))
            }
            // Reading ends with "no start line" where nothing is left, and with anything else at a broken block.
            let code = ERR_peek_last_error()
            ERR_clear_error()
            let reason = Int32(truncatingIfNeeded: code & UInt(ERR_REASON_MASK))
            return code == 0 || reason == PEM_R_NO_START_LINE ? certificates : nil
        }
    }

    /// `key` in PKCS#8, unencrypted.
    static func text(ofPrivateKey key: KeyHandle) -> String? {
        withWriter { PEM_write_bio_PKCS8PrivateKey($0, key.pointer, nil, nil, 0, nil, nil) == 1 }
    }

    /// `certificate` as one block.
    static func text(ofCertificate certificate: CertificateHandle) -> String? {
        withWriter { PEM_write_bio_X509($0, certificate.pointer) == 1 }
    }

    private static func withReader<Result>(over text: [UInt8], _ body: (OpaquePointer) -> Result?) -> Result? {
        text.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, let count = Int32(exactly: bytes.count),
                let reader = BIO_new_mem_buf(start, count)
            else { return nil }
            defer { BIO_free(reader) }
            return body(reader)
        }
    }

    private static func withWriter(_ write: (OpaquePointer) -> Bool) -> String? {
        guard let writer = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(writer) }
        guard write(writer) else { return nil }
        var start: UnsafePointer<UInt8>?
        let count = flux_BIO_get_mem_data(writer, &start)
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
