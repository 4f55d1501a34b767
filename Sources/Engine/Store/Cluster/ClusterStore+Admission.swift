/// How a node becomes a member, and ends to be one.
extension ClusterStore {
    /// What came of a wish to be let in.
    public enum Admission: Sendable, Equatable {
        /// The node is a member under that number; the others are those that it finds.
        case admitted(UInt16, others: [NodeRow])
        /// No such token.
        case unknownToken
        /// Another node used the token.
        case usedToken
        /// The token is too old.
        case expiredToken
        /// A member has this name.
        case nameTaken
        /// Every number is a member's.
        case full
        /// No certificate could be made; nothing has changed.
        case notCertified
    }

    /// Lets a node in under the token with that hash, wholly or not at all: takes the token, gives the node a number, has it
    /// certified for that number by `certify`, and writes its row and its certificate. Everything but `admitted` changes
    /// nothing.
    ///
    /// The node that used the token (by name and key) is let in again under its number, with a new certificate in the place
    /// of the old one, as long as it is a member: its first answer may have been lost. `certify` runs on the connection's
    /// thread, and must wait for nothing.
    public func admit(
        _ node: NewNode, tokenHash: [UInt8], certify: @escaping @Sendable (UInt16) -> CertificateRow?
    ) async throws(StoreError) -> Admission {
        try await database.transaction { [patience] transaction throws(StoreError) in
            let answers = try transaction.run([
                Statement(ClusterStore.lockCluster),
                Statement(
                    ClusterStore.judgeToken, [.bytes(tokenHash), .text(node.name), .bytes(node.keyFingerprint)]),
                Statement(ClusterStore.findName, [.text(node.name)]),
                Statement(ClusterStore.freeNumber),
            ])
            guard let token = answers[1].first else { return .unknownToken }
            let number: UInt16
            let isRepeated = try token.bool("is_repeated")
            if isRepeated {
                number = try token.integer("used_by")
            } else {
                guard try token.isNull("used_by") else { return .usedToken }
                guard try !token.bool("is_expired") else { return .expiredToken }
                guard answers[2].isEmpty else { return .nameTaken }
                guard let free = answers[3].first else { return .full }
                number = try free.integer("number")
            }
            guard let certificate = certify(number) else { return .notCertified }
            try ClusterStore.enrol(node, numbered: number, certificate, in: transaction)
            let rows = try transaction.run([
                Statement(ClusterStore.useToken, [.bytes(tokenHash), .int(number)]),
                Statement(LeaseStore.allNodes, [.int(patience.expiryMilliseconds)]),
            ])[1]
            let others = try LeaseStore.nodeRows(rows).filter { $0.identity.node != number }
            return .admitted(number, others: others)
        }
    }

    /// What came of a wish to remove a node.
    public enum Removal: Sendable, Equatable {
        /// It is no member any more; whether it was one before.
        case removed(wasMember: Bool)
        /// It lives.
        case alive
        /// No node ever had this name.
        case unknown
    }

    /// Removes a dead node: it cannot come back, its certificates are accepted no longer, its slots are free. Its row stays,
    /// because ids of its number must go on growing.
    public func remove(nodeNamed name: String) async throws(StoreError) -> Removal {
        try await database.transaction { [patience] transaction throws(StoreError) in
            let found = try transaction.run([
                Statement(ClusterStore.lockCluster),
                Statement(ClusterStore.lockNamed, [.text(name), .int(patience.expiryMilliseconds)]),
            ])[1]
            guard let row = found.first else { return .unknown }
            guard try !row.bool("is_removed") else { return .removed(wasMember: false) }
            guard try !row.bool("is_live") else { return .alive }
            let number: UInt16 = try row.integer("id")
            try transaction.run([
                Statement(LeaseStore.changeState, [.int(number), .text(NodeState.removed.rawValue)]),
                Statement(ClusterStore.forgetCertificates, [.int(number)]),
                Statement(LeaseStore.forgetVerdicts, [.int(number)]),
            ])
            return .removed(wasMember: true)
        }
    }

    static let judgeToken = PreparedQuery(
        "cluster.judgeToken",
        """
        SELECT token.used_by, token.expires_at <= clock_timestamp() AS is_expired,
            coalesce(node.name = $2 AND node.key_fingerprint = $3 AND node.state <> 'removed', false) AS is_repeated
        FROM join_tokens AS token LEFT JOIN nodes AS node ON node.id = token.used_by
        WHERE token.hash = $1 FOR UPDATE OF token
        """, [.bytea, .text, .bytea], repeatable: false)

    static let findName = PreparedQuery(
        "cluster.findName", "SELECT id FROM nodes WHERE name = $1 AND state <> 'removed'", [.text])

    /// The lowest number that was never given; where there is none, the lowest of a removed node.
    static let freeNumber = PreparedQuery(
        "cluster.freeNumber",
        """
        SELECT number FROM generate_series(1, 1023) AS number LEFT JOIN nodes AS node ON node.id = number
        WHERE node.id IS NULL OR node.state = 'removed' ORDER BY node.id IS NOT NULL, number LIMIT 1
        """)

    static let useToken = PreparedQuery(
        "cluster.useToken",
        "UPDATE join_tokens SET used_at = coalesce(used_at, clock_timestamp()), used_by = $2 WHERE hash = $1",
        [.bytea, .int2])

    static let lockNamed = PreparedQuery(
        "cluster.lockNamed",
        """
        SELECT id, state = 'removed' AS is_removed,
            state <> 'left' AND clock_timestamp() - heartbeat_at <= $2 * interval '1 millisecond' AS is_live
        FROM nodes WHERE name = $1 ORDER BY state = 'removed', id LIMIT 1 FOR UPDATE
        """, [.text, .int8], repeatable: false)
}
