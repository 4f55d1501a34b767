import FluxCore

/// The cluster as Postgres knows it: which one it is, the certificates of its nodes, and the tokens that let new ones in
/// (design 5).
///
/// Whatever changes who is a member is one transaction that holds the cluster's row, so that two of them come one after the
/// other: no name and no number is given twice, and no token is used twice. Times are Postgres's own.
public struct ClusterStore: Sendable {
    let database: Database
    let patience: LeasePatience

    /// The tables of `database`; the times are design's unless a test needs others.
    public init(_ database: Database, patience: LeasePatience = LeasePatience()) {
        self.database = database
        self.patience = patience
    }
}

/// Names a cluster and its authority.
public struct ClusterRow: Sendable, Hashable {
    /// The cluster's 16 bytes.
    public var id: [UInt8]
    /// SHA-256 of its authority's certificate.
    public var authority: [UInt8]

    /// A cluster from its parts.
    public init(id: [UInt8], authority: [UInt8]) {
        self.id = id
        self.authority = authority
    }
}

/// A certificate as the table of certificates holds it.
public struct CertificateRow: Sendable, Hashable {
    /// SHA-256 of the certificate.
    public var fingerprint: [UInt8]
    /// After which nobody accepts it.
    public var expiresAt: Timestamp

    /// A certificate from its parts.
    public init(fingerprint: [UInt8], expiresAt: Timestamp) {
        self.fingerprint = fingerprint
        self.expiresAt = expiresAt
    }
}

/// A node that is to become a member, before it has a number.
public struct NewNode: Sendable, Hashable {
    /// What it is to be called.
    public var name: String
    /// Where other nodes will reach it, `host:port`.
    public var address: String
    /// SHA-256 of its public key.
    public var keyFingerprint: [UInt8]

    /// A node from its parts.
    public init(name: String, address: String, keyFingerprint: [UInt8]) {
        self.name = name
        self.address = address
        self.keyFingerprint = keyFingerprint
    }
}
