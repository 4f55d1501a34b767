/// A new cluster in the place of one that is gone, over everything that was said in it.
extension ClusterStore {
    /// What came of a wish to begin a cluster anew.
    public enum Succession: Sendable, Equatable {
        /// The database is the new cluster's, and its first node has that number.
        case begun(UInt16)
        /// These nodes of the cluster that is there live; nothing has changed.
        case alive([String])
        /// There is no cluster whose place it could take; nothing has changed.
        case nothingThere
        /// Nothing could be certified; nothing has changed.
        case notCertified
    }

    /// What the new cluster is, and by which certificate its first node is known.
    public struct Successor: Sendable {
        public var cluster: ClusterRow
        public var node: NewNode
        public var certificate: CertificateRow

        public init(cluster: ClusterRow, node: NewNode, certificate: CertificateRow) {
            self.cluster = cluster
            self.node = node
            self.certificate = certificate
        }
    }

    /// Makes the database a new cluster's, wholly or not at all: every node of the old one is removed, with its certificates and all
    /// tokens, and the new one has one node, under a number that none had, as long as there is one. Everything else stays: accounts,
    /// guilds, messages, and the epochs of the slots, which go on growing.
    ///
    /// - Parameter make: makes the first node under its number. Runs on the connection's thread when nothing stands against it any
    ///   more, and before anything is committed; nil: it cannot be made.
    public func succeed(_ make: @escaping @Sendable (UInt16) -> Successor?) async throws(StoreError) -> Succession {
        try await database.transaction { [patience] transaction throws(StoreError) in
            guard try !transaction.run(Statement(ClusterStore.lockCluster)).isEmpty else { return .nothingThere }
            var alive: [String] = []
            for row in try transaction.run(
                Statement(ClusterStore.lockLiving, [.int(patience.expiryMilliseconds)]))
            {
                alive.append(try row.text("name"))
            }
            guard alive.isEmpty else { return .alive(alive) }
            guard let unused = try transaction.run(Statement(ClusterStore.unusedNumber)).first else {
                throw .corrupt("there is no number for a node")
            }
            let number: UInt16 = try unused.integer("number")
            guard let successor = make(number) else { return .notCertified }
            try transaction.run([
                Statement(ClusterStore.removeAll), Statement(ClusterStore.forgetAllCertificates),
                Statement(ClusterStore.forgetAllTokens), Statement(ClusterStore.forgetAllVerdicts),
            ])
            try transaction.run(
                Statement(
                    ClusterStore.replaceCluster, [.bytes(successor.cluster.id), .bytes(successor.cluster.authority)]))
            try ClusterStore.enrol(successor.node, numbered: number, successor.certificate, in: transaction)
            return .begun(number)
        }
    }

    static let lockLiving = PreparedQuery(
        "cluster.lockLiving",
        """
        SELECT name FROM nodes WHERE state NOT IN ('left', 'removed')
            AND clock_timestamp() - heartbeat_at <= $1 * interval '1 millisecond' ORDER BY id FOR UPDATE
        """, [.int8], repeatable: false)

    /// The lowest number that no node ever had; where there is none, the lowest.
    static let unusedNumber = PreparedQuery(
        "cluster.unusedNumber",
        """
        SELECT number FROM generate_series(1, 1023) AS number LEFT JOIN nodes AS node ON node.id = number
        ORDER BY node.id IS NOT NULL, number LIMIT 1
        """)

    static let removeAll = PreparedQuery(
        "cluster.removeAll", "UPDATE nodes SET state = 'removed' WHERE state <> 'removed'")

    static let forgetAllCertificates = PreparedQuery("cluster.forgetAllCertificates", "DELETE FROM node_certificates")

    static let forgetAllTokens = PreparedQuery("cluster.forgetAllTokens", "DELETE FROM join_tokens")

    static let forgetAllVerdicts = PreparedQuery("cluster.forgetAllVerdicts", "DELETE FROM verdicts")

    static let replaceCluster = PreparedQuery(
        "cluster.replace", "UPDATE cluster SET id = $1, authority = $2, founded_at = clock_timestamp()",
        [.bytea, .bytea])
}
