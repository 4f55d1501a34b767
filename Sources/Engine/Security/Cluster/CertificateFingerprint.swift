/// SHA-256 of a certificate in DER: by it a cluster knows its members and its authority.
public struct CertificateFingerprint: Hashable, Sendable, CustomStringConvertible {
    /// The 32 bytes.
    public let bytes: [UInt8]

    /// The fingerprint with these 32 bytes; nil for any other number of bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Digest.sha256ByteCount else { return nil }
        self.bytes = bytes
    }

    /// 64 hexadecimal digits.
    public var description: String { Hexadecimal.encode(bytes) }
}
