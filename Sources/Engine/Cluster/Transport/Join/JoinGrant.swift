import FluxSecurity

/// The answer to a node that is let in: all that it needs to be a member.
public struct JoinGrant: WireCodable, Equatable {
    /// Kind of its frame.
    static let frameKind: UInt8 = 17

    /// The number that the node gets.
    public var node: NodeID
    /// Its certificate, and the authority's behind it (PEM).
    public var certificateChainPEM: [UInt8]
    /// The authority's certificate and key (PEM): every member can let others in. To be kept in secret.
    public var authorityCertificatePEM: [UInt8]
    /// See there.
    public var authorityKeyPEM: [UInt8]
    /// The members at this moment.
    public var members: [JoinMember]
    /// The cluster's Postgres. To be kept in secret, as it may hold a password.
    public var databaseURL: String

    /// A record of all that.
    public func encode(to writer: inout WireWriter) {
        writer.record { fields in
            fields.value(node)
            fields.byteArray(certificateChainPEM)
            fields.byteArray(authorityCertificatePEM)
            fields.byteArray(authorityKeyPEM)
            fields.list(members)
            fields.string(databaseURL)
        }
    }
}

extension JoinGrant {
    /// Reads a record of all that.
    public init(from reader: inout WireReader) throws(WireError) {
        self = try reader.record { fields throws(WireError) in
            JoinGrant(
                node: try fields.value(), certificateChainPEM: try fields.byteArray(),
                authorityCertificatePEM: try fields.byteArray(), authorityKeyPEM: try fields.byteArray(),
                members: try fields.list(), databaseURL: try fields.string())
        }
    }
}
