import COpenSSL
import FluxCore

/// Owns one `X509` certificate, freed with the last reference.
///
/// `@unchecked Sendable`: the pointer is set once; a certificate is changed only while it is being made, before its handle
/// is given to anybody, and its reference count is atomic.
final class CertificateHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over the caller's reference.
    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        X509_free(pointer)
    }

    /// SHA-256 of the certificate's DER form; nil only when out of memory.
    var fingerprint: [UInt8]? {
        var digest = [UInt8](repeating: 0, count: Digest.sha256ByteCount)
        return X509_digest(pointer, EVP_sha256(), &digest, nil) == 1 ? digest : nil
    }

    /// The DNS names among its alternative names; text that is not ASCII is left out.
    var hostNames: [String] {
        guard let raw = X509_get_ext_d2i(pointer, NID_subject_alt_name, nil, nil) else {
            ERR_clear_error()
            return []
        }
        let names = OpaquePointer(raw)
        defer { GENERAL_NAMES_free(names) }
        return (0..<flux_GENERAL_NAMES_count(names)).compactMap { index in
            var start: UnsafePointer<UInt8>?
            let count = flux_GENERAL_NAMES_dns(names, index, &start)
            guard count > 0, let start else { return nil }
            let bytes = UnsafeBufferPointer(start: start, count: Int(count))
            return bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? String(decoding: bytes, as: UTF8.self) : nil
        }
    }

    /// From when until when it is good; nil where its times cannot be read.
    var validity: (from: Timestamp, until: Timestamp)? {
        let from = flux_ASN1_TIME_seconds(X509_get0_notBefore(pointer))
        let until = flux_ASN1_TIME_seconds(X509_get0_notAfter(pointer))
        guard from >= 0, until >= 0 else {
            ERR_clear_error()
            return nil
        }
        return (Timestamp(microseconds: 0).adding(seconds: from), Timestamp(microseconds: 0).adding(seconds: until))
    }
}
