import FluxCore

/// What stands in a node's certificate: which node of which cluster it is.
///
/// It is written as one host name, `node-17.0123456789abcdef0123456789abcdef.flux`, so that any tool that reads certificates
/// shows it. The authority of the cluster vouches for it.
public struct NodeCertificate: Hashable, Sendable {
    /// How long a node's certificate is good: 90 days, in seconds. It is renewed long before.
    public static let lifetimeSeconds: Int64 = 90 * 86400

    /// How far back a new certificate's validity begins, seconds: clocks of two nodes differ.
    public static let backdatedSeconds: Int64 = 3600

    /// How long a cluster's authority is good: 20 years, in seconds.
    public static let authorityLifetimeSeconds: Int64 = 20 * 365 * 86400

    /// Which cluster.
    public let cluster: ClusterID

    /// The node's number.
    public let node: UInt16

    /// What stands in the certificate of that node.
    public init(cluster: ClusterID, node: UInt16) {
        self.cluster = cluster
        self.node = node
    }

    /// Reads what a certificate says; nil where none of its names is one of a node, or two are.
    public init?(hostNames: [String]) {
        let read = hostNames.compactMap(Self.init(hostName:))
        guard read.count == 1, let only = read.first else { return nil }
        self = only
    }

    private init?(hostName: String) {
        let labels = hostName.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count == 3, labels[2] == "flux", labels[0].hasPrefix("node-"),
            let node = UInt16(labels[0].dropFirst(5)), let cluster = ClusterID(labels[1])
        else { return nil }
        self.init(cluster: cluster, node: node)
        // One spelling for each node: no sign, no leading zeros, no capital letters.
        guard self.hostName == hostName else { return nil }
    }

    /// The name that stands in the certificate.
    public var hostName: String { "node-\(node).\(cluster).flux" }

    /// What the authority is asked to sign for the node, from now on. A certificate's common name has 64 characters, so that a
    /// longer name of a node is cut.
    public func request(name: String, at now: Timestamp) -> CertificateAuthority.Request {
        CertificateAuthority.Request(
            commonName: String(name.prefix(64)), hostNames: [hostName],
            validFrom: now.adding(seconds: -Self.backdatedSeconds),
            validUntil: now.adding(seconds: Self.lifetimeSeconds))
    }

    /// The authority of a new cluster.
    public static func authority(of cluster: ClusterID, at now: Timestamp) throws(TLSError) -> CertificateAuthority {
        try CertificateAuthority.generate(
            commonName: "Flux \(cluster)", validFrom: now.adding(seconds: -backdatedSeconds),
            validUntil: now.adding(seconds: authorityLifetimeSeconds))
    }

    /// When a certificate is to be renewed: after two thirds of its life, and up to a twelfth of it earlier, by `jitter` from 0
    /// to 1, so that the nodes of one day do not do it at one moment.
    public static func renewal(from: Timestamp, until: Timestamp, jitter: Double) -> Timestamp {
        let life = Double(max(0, until.seconds - from.seconds))
        let early = min(max(jitter, 0), 1) / 12
        return from.adding(seconds: Int64(life * (2.0 / 3.0 - early)))
    }
}
