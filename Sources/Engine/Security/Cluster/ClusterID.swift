/// Names one cluster for ever: 128 random bits, made by `flux node init`.
public struct ClusterID: Hashable, Sendable, CustomStringConvertible {
    /// How many bytes there are.
    public static let byteCount = 16

    /// The bits.
    public let bytes: [UInt8]

    /// A new one.
    public static func random() -> ClusterID {
        ClusterID(unchecked: SecureRandom.bytes(byteCount))
    }

    /// The cluster with these 16 bytes; nil for any other number of bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.init(unchecked: bytes)
    }

    /// The cluster of 32 hexadecimal digits; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 2 * Self.byteCount, let bytes = Hexadecimal.decode(text) else { return nil }
        self.init(unchecked: bytes)
    }

    private init(unchecked bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// 32 hexadecimal digits.
    public var description: String { Hexadecimal.encode(bytes) }
}
