import FluxCore
import FluxSecurity

/// What a node shows to other nodes, and whom it believes: its certificate and key, and the cluster's authority.
///
/// Both ends of a link show a certificate of the authority, over TLS 1.3. The certificate may be replaced while links stand; they
/// keep what they began with.
public final class ClusterCredentials: Sendable {
    let server: TLSContext
    let client: TLSContext
    private let authorityPEM: [UInt8]

    /// Credentials of PEM texts. The node's own certificate comes first in its chain; the authority's is added behind
    /// it, as a node that joins knows the authority by its fingerprint alone.
    public init(authorityPEM: [UInt8], identity: TLSIdentity) throws(TLSError) {
        self.authorityPEM = authorityPEM
        let (server, client) = Self.configurations(authorityPEM, identity)
        self.server = try TLSContext(server)
        self.client = try TLSContext(client)
    }

    /// Puts a renewed certificate in force for new connections.
    public func renew(_ identity: TLSIdentity) throws(TLSError) {
        let (server, client) = Self.configurations(authorityPEM, identity)
        try self.server.replace(with: server)
        try self.client.replace(with: client)
    }

    private static func configurations(
        _ authorityPEM: [UInt8], _ identity: TLSIdentity
    ) -> (server: TLSConfiguration, client: TLSConfiguration) {
        var identity = identity
        identity.certificateChainPEM = identity.certificateChainPEM + [UInt8(ascii: "\n")] + authorityPEM
        var server = TLSConfiguration(role: .server(clientAuthoritiesPEM: authorityPEM), identity: identity)
        server.minimumVersion = .tls13
        // Who joins has no certificate yet; a link without one is refused in its handshake, with a reason.
        server.requiresPeerCertificate = false
        var client = TLSConfiguration(role: .client(authoritiesPEM: authorityPEM), identity: identity)
        client.minimumVersion = .tls13
        return (server, client)
    }
}

/// How the links of a node are secured.
public enum LinkSecurity: Sendable {
    /// Not at all. Only between processes of one machine: the node listens on loopback, takes connections from loopback, and
    /// dials loopback; everything else fails.
    case plaintextOnLoopback
    /// TLS 1.3 with certificates on both sides.
    case certificates(ClusterCredentials)
}

extension LinkSecurity {
    var isPlain: Bool {
        if case .plaintextOnLoopback = self { true } else { false }
    }
}
