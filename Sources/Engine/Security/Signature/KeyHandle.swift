import COpenSSL

/// Owns one `EVP_PKEY`, freed with the last reference.
///
/// `@unchecked Sendable`: the pointer is set once and never given away; an `EVP_PKEY` is not changed after it was made,
/// its reference count is atomic, and OpenSSL allows its use from several threads at a time as long as each has its own
/// `EVP_MD_CTX`, which every operation here creates for itself.
final class KeyHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Takes over the caller's reference.
    init(owning pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        EVP_PKEY_free(pointer)
    }
}
