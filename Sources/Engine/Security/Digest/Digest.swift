import COpenSSL

/// Message digests of whole byte strings, by OpenSSL.
///
/// SHA-256 (FIPS 180-4) is for everything that must resist an attacker. SHA-1 exists for one use, the WebSocket
/// handshake of RFC 6455, where nothing depends on its strength.
public enum Digest {
    /// Length of a SHA-256 digest in bytes.
    public static let sha256ByteCount = 32

    /// Length of a SHA-1 digest in bytes.
    public static let sha1ByteCount = 20

    /// The SHA-256 digest of `bytes`: 32 bytes.
    public static func sha256(_ bytes: some Collection<UInt8>) -> [UInt8] {
        compute(EVP_sha256(), byteCount: sha256ByteCount, over: bytes)
    }

    /// The SHA-1 digest of `bytes`: 20 bytes. Only for `Sec-WebSocket-Accept`.
    public static func sha1(_ bytes: some Collection<UInt8>) -> [UInt8] {
        compute(EVP_sha1(), byteCount: sha1ByteCount, over: bytes)
    }

    private static func compute(
        _ algorithm: OpaquePointer?, byteCount: Int, over bytes: some Collection<UInt8>
    ) -> [UInt8] {
        withContiguousBytes(of: bytes) { input in
            [UInt8](unsafeUninitializedCapacity: byteCount) { output, count in
                let done = EVP_Digest(input.baseAddress, input.count, output.baseAddress, nil, algorithm, nil)
                // A digest over memory depends on no input: it fails only if OpenSSL lacks the algorithm or the
                // process is out of memory.
                precondition(done == 1, "OpenSSL offers no such digest")
                count = byteCount
            }
        }
    }
}
