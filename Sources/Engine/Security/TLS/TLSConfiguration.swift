import NIOCore

/// How connections are secured: who we are, whom we trust, and the limits.
///
/// TLS 1.2 (forward secret AEAD suites only) and 1.3; no renegotiation, no compression, no early data.
public struct TLSConfiguration: Sendable {
    /// Which end of the connection we are, and what we ask of the other one.
    public enum Role: Sendable {
        /// Accepts connections. With authorities the client must show a certificate that one of them signed.
        case server(clientAuthoritiesPEM: [UInt8]? = nil)
        /// Opens connections to servers whose certificate leads to one of the authorities (nil: those of the system).
        /// The name is checked where the handler is given one.
        case client(authoritiesPEM: [UInt8]? = nil)
    }

    /// The oldest version that is spoken.
    public enum MinimumVersion: Sendable {
        case tls12, tls13
    }

    /// Which end we are.
    public var role: Role

    /// Certificate and key. A server needs one, a client only for mutual authentication.
    public var identity: TLSIdentity?

    /// Whether a server with authorities ends the handshake of a client that shows no certificate. Where it does not, the
    /// pipeline looks at ``TLSHandshake/peerFingerprint`` and decides; a certificate that is shown is verified all the same.
    public var requiresPeerCertificate = true

    /// For a client that knows its authority by the SHA-256 of its certificate alone: the server must send that certificate
    /// in its chain and one of its own, good now, that leads to it. Takes the place of the role's authorities; no name is
    /// checked.
    public var pinnedAuthority: [UInt8]?

    /// The oldest version that is spoken, TLS 1.2 by default.
    public var minimumVersion: MinimumVersion = .tls12

    /// Application protocols for ALPN (RFC 7301), the preferred one first, such as `h2`, `http/1.1`. At most 254 bytes in all,
    /// each 1 to 254. Empty: the extension is not used.
    public var applicationProtocols: [String] = []

    /// A handshake that takes longer ends the connection.
    public var handshakeTimeout: TimeAmount = .seconds(10)

    /// Bytes that may wait in the handler until the handshake is done.
    public var handshakeWriteLimit = 256 * 1024

    /// Bytes that may wait in the handler for a peer that reads slowly, counted behind a first write of any size.
    public var writeLimit = 32 * 1024 * 1024

    /// Asked with the SHA-256 of the peer's certificate once that has been verified; false ends the connection. Called on
    /// the event loop, so it must not block.
    public var acceptsPeer: (@Sendable (_ fingerprint: [UInt8]) -> Bool)?

    /// A configuration of that role with the defaults for everything else.
    public init(role: Role, identity: TLSIdentity? = nil) {
        self.role = role
        self.identity = identity
    }

    /// A server with the certificates of two PEM files.
    public static func server(identity: TLSIdentity) -> TLSConfiguration {
        TLSConfiguration(role: .server(), identity: identity)
    }
}
