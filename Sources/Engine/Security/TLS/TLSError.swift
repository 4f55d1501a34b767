/// Why a TLS context could not be made, or why a connection ended. The texts hold no secrets and may be logged.
public enum TLSError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A certificate, key or file of the configuration cannot be used, for the reason given.
    case configuration(String)
    /// The handshake failed, for OpenSSL's reason. The peer was sent the alert.
    case handshakeFailed(String)
    /// The handshake was not done within the configured time.
    case handshakeTimedOut
    /// The peer's certificate is valid, but the configuration's check refused its fingerprint.
    case peerRefused
    /// A record was malformed, forged or against the protocol, for OpenSSL's reason. The peer was sent the alert.
    case protocolViolation(String)
    /// The connection ended without the peer's close_notify: what was received may have been cut short.
    case truncated
    /// More bytes wait for the handshake, or for a peer that reads slowly, than the configuration allows.
    case writeBufferFull
    /// The connection had ended before the write.
    case closed

    public var description: String {
        switch self {
        case .configuration(let reason): "TLS cannot be configured: \(reason)"
        case .handshakeFailed(let reason): "the TLS handshake failed: \(reason)"
        case .handshakeTimedOut: "the TLS handshake took too long"
        case .peerRefused: "the peer's certificate is not one of a member"
        case .protocolViolation(let reason): "the peer broke the TLS protocol: \(reason)"
        case .truncated: "the connection ended without a TLS close"
        case .writeBufferFull: "too many bytes wait to be encrypted"
        case .closed: "the TLS connection has ended"
        }
    }
}
