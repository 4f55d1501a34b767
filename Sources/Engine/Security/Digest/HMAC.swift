import COpenSSL

/// Keyed message authentication, RFC 2104.
public enum HMAC {
    /// The HMAC-SHA-256 of `message` under `key`: 32 bytes. Keys may have any length.
    ///
    /// Compare a received code with ``ConstantTime/equal(_:_:)``, never with `==`.
    public static func sha256(key: some Collection<UInt8>, message: some Collection<UInt8>) -> [UInt8] {
        withContiguousBytes(of: key) { key in
            withContiguousBytes(of: message) { message in
                authenticate(key: key, message: message)
            }
        }
    }

    private static func authenticate(
        key: UnsafeBufferPointer<UInt8>, message: UnsafeBufferPointer<UInt8>
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Digest.sha256ByteCount) { output, count in
            // OpenSSL takes a null key for "the key of the last call", so an empty key needs an address of its own.
            var placeholder: UInt8 = 0
            let done = withUnsafePointer(to: &placeholder) { empty in
                COpenSSL.HMAC(
                    EVP_sha256(), key.baseAddress ?? empty, Int32(clamping: key.count),
                    message.baseAddress, message.count, output.baseAddress, nil)
            }
            precondition(done != nil, "OpenSSL offers no HMAC-SHA-256")
            count = Digest.sha256ByteCount
        }
    }
}
