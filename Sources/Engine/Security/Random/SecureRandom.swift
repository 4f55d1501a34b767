import COpenSSL

/// Random bytes for keys, tokens and salts, from OpenSSL's generator, which the kernel seeds.
public enum SecureRandom {
    /// `count` random bytes.
    public static func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let done = count == 0 ? 1 : RAND_bytes(buffer.baseAddress, Int32(count))
            // Going on with a predictable token would be worse than stopping.
            precondition(done == 1, "the system's random number generator failed")
            initialized = count
        }
    }

    /// `count` random bytes in base64url, without padding.
    public static func text(byteCount count: Int) -> String {
        Base64URL.encode(bytes(count))
    }
}
