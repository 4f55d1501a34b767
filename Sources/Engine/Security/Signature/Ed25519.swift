/// Sizes of the Ed25519 signature scheme, RFC 8032, and why one of its operations may fail.
public enum Ed25519 {
    /// Bytes of a private key's seed and of a public key.
    public static let keyByteCount = 32

    /// Bytes of a signature.
    public static let signatureByteCount = 64

    /// Why a key could not be made or used.
    public enum Failure: Error, Sendable, Equatable, CustomStringConvertible {
        /// The bytes or the PEM text are not an Ed25519 key.
        case notAKey
        /// OpenSSL refused the operation, for the reason given.
        case refused(String)

        public var description: String {
            switch self {
            case .notAKey: "not an Ed25519 key"
            case .refused(let reason): "the cryptographic library refused: \(reason)"
            }
        }
    }
}
