import COpenSSL

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
}
