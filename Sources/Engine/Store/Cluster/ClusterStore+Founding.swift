/// The beginning of a cluster.
extension ClusterStore {
    /// Whose database it is; nil: nobody's yet.
    public func cluster() async throws(StoreError) -> ClusterRow? {
        try ClusterStore.cluster(try await database.run(Statement(ClusterStore.readCluster)))
    }

    /// Makes the database this cluster's, with its first node under that number. Returns whose it is: another cluster when
    /// that was faster, and then nothing has changed. Called again for the same cluster and node it changes nothing that
    /// matters, so that it may be repeated when its answer was lost.
    public func found(
        _ cluster: ClusterRow, with node: NewNode, numbered number: UInt16, certificate: CertificateRow
    ) async throws(StoreError) -> ClusterRow {
        try await database.transaction { transaction throws(StoreError) in
            try transaction.run(
                Statement(ClusterStore.insertCluster, [.bytes(cluster.id), .bytes(cluster.authority)]))
            guard let owner = try ClusterStore.cluster(try transaction.run(Statement(ClusterStore.lockCluster)))
            else { throw .corrupt("the cluster's row is missing") }
            guard owner == cluster else { return owner }
            try ClusterStore.enrol(node, numbered: number, certificate, in: transaction)
            return owner
        }
    }

    /// Writes the row of a node that has not started yet, and the one certificate that it is known by. Of a number that was
    /// another node's, whatever still runs under it is fenced off by a new incarnation.
    static func enrol(
        _ node: NewNode, numbered number: UInt16, _ certificate: CertificateRow, in transaction: borrowing Transaction
    ) throws(StoreError) {
        try transaction.run([
            Statement(
                enrolNode, [.int(number), .text(node.name), .text(node.address), .bytes(node.keyFingerprint)]),
            Statement(forgetCertificates, [.int(number)]),
            Statement(
                insertCertificate,
                [.bytes(certificate.fingerprint), .int(number), .timestamp(certificate.expiresAt)]),
        ])
    }

    private static func cluster(_ rows: Rows) throws(StoreError) -> ClusterRow? {
        guard let row = rows.first else { return nil }
        return ClusterRow(id: try row.bytes("id"), authority: try row.bytes("authority"))
    }

    static let readCluster = PreparedQuery("cluster.read", "SELECT id, authority FROM cluster")

    static let lockCluster = PreparedQuery("cluster.lock", "SELECT id, authority FROM cluster FOR UPDATE")

    static let insertCluster = PreparedQuery(
        "cluster.insert", "INSERT INTO cluster (id, authority) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        [.bytea, .bytea])

    /// Counts as away until it starts: its heartbeat is older than any that is waited for.
    static let enrolNode = PreparedQuery(
        "cluster.enrolNode",
        """
        INSERT INTO nodes (id, name, incarnation, lanes, high_water_ms, heartbeat_at, address, state, key_fingerprint)
        VALUES ($1, $2, 1, 1, 0, to_timestamp(0), $3, 'left', $4)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, incarnation = nodes.incarnation + 1,
            heartbeat_at = excluded.heartbeat_at, address = excluded.address, state = excluded.state, weight = 1,
            key_fingerprint = excluded.key_fingerprint, joined_at = clock_timestamp()
        """, [.int2, .text, .text, .bytea])

    static let forgetCertificates = PreparedQuery(
        "cluster.forgetCertificates", "DELETE FROM node_certificates WHERE node = $1", [.int2])

    static let insertCertificate = PreparedQuery(
        "cluster.insertCertificate",
        "INSERT INTO node_certificates (fingerprint, node, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        [.bytea, .int2, .timestamptz])
}
