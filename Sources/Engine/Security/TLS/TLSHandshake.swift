/// What the two ends agreed on. ``TLSHandler`` fires it as a user event when the handshake is done.
public struct TLSHandshake: Sendable, Equatable {
    /// `TLSv1.2` or `TLSv1.3`.
    public var version: String

    /// The cipher suite's name.
    public var cipherSuite: String

    /// The application protocol of ALPN, if one was agreed on.
    public var applicationProtocol: String?

    /// The name the client asked for (SNI), on a server.
    public var serverName: String?

    /// SHA-256 of the peer's certificate in DER, if it showed one.
    public var peerFingerprint: [UInt8]?

    /// The host names that stand in the peer's certificate. They are as true as the authority that signed it.
    public var peerHostNames: [String] = []
}
