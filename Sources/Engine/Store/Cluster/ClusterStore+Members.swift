import FluxCore

/// A node as its operator sees it.
public struct ClusterMemberRow: Sendable, Equatable {
    /// Its row in the table of nodes.
    public var node: NodeRow
    /// When it became a member.
    public var joinedAt: Timestamp
    /// When it was started the last time.
    public var startedAt: Timestamp
    /// How many slots it owns.
    public var slotCount: Int
    /// Until when its newest certificate is good; nil where it has none.
    public var certifiedUntil: Timestamp?
}

/// Who is a member, and by which certificates.
extension ClusterStore {
    /// Every member, by number.
    public func members() async throws(StoreError) -> [ClusterMemberRow] {
        let rows = try await database.run(Statement(ClusterStore.allMembers, [.int(patience.expiryMilliseconds)]))
        let nodes = try LeaseStore.nodeRows(rows)
        var members: [ClusterMemberRow] = []
        for (row, node) in zip(rows, nodes) {
            members.append(
                ClusterMemberRow(
                    node: node, joinedAt: try row.timestamp("joined_at"), startedAt: try row.timestamp("started_at"),
                    slotCount: try row.integer("slots"), certifiedUntil: try row.optionalTimestamp("certified_until")))
        }
        return members
    }

    /// SHA-256 of every certificate by which a member is known.
    public func fingerprints() async throws(StoreError) -> [[UInt8]] {
        var fingerprints: [[UInt8]] = []
        for row in try await database.run(Statement(ClusterStore.allFingerprints)) {
            fingerprints.append(try row.bytes("fingerprint"))
        }
        return fingerprints
    }

    /// Adds a certificate to those of a member. Throws `.fenced` when it is none any more.
    public func add(_ certificate: CertificateRow, ofNode node: UInt16) async throws(StoreError) {
        try await database.transaction { transaction throws(StoreError) in
            let member = try transaction.run(Statement(ClusterStore.lockMember, [.int(node)]))
            guard !member.isEmpty else { throw .fenced }
            try transaction.run(
                Statement(
                    ClusterStore.insertCertificate,
                    [.bytes(certificate.fingerprint), .int(node), .timestamp(certificate.expiresAt)]))
        }
    }

    static let allMembers = PreparedQuery(
        "cluster.allMembers",
        """
        SELECT id, name, incarnation, address, weight, state,
            clock_timestamp() - heartbeat_at <= $1 * interval '1 millisecond' AS is_live, joined_at, started_at,
            (SELECT count(*) FROM leases WHERE leases.node = nodes.id AND leases.incarnation = nodes.incarnation)
                AS slots,
            (SELECT max(expires_at) FROM node_certificates AS certificate WHERE certificate.node = nodes.id)
                AS certified_until
        FROM nodes WHERE state <> 'removed' ORDER BY id
        """, [.int8])

    static let allFingerprints = PreparedQuery(
        "cluster.allFingerprints",
        """
        SELECT certificate.fingerprint
        FROM node_certificates AS certificate JOIN nodes ON nodes.id = certificate.node
        WHERE nodes.state <> 'removed' AND certificate.expires_at > clock_timestamp()
        """)

    /// Keeps a removal waiting until the transaction is over.
    static let lockMember = PreparedQuery(
        "cluster.lockMember", "SELECT id FROM nodes WHERE id = $1 AND state <> 'removed' FOR SHARE", [.int2],
        repeatable: false)
}
