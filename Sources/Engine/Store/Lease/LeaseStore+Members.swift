/// The members of the cluster, and what they hold of each other (design 5).
extension LeaseStore {
    /// Every node that was not removed, by number.
    public func nodes() async throws(StoreError) -> [NodeRow] {
        try LeaseStore.nodeRows(
            try await database.run(Statement(LeaseStore.allNodes, [.int(patience.expiryMilliseconds)])))
    }

    static func nodeRows(_ rows: Rows) throws(StoreError) -> [NodeRow] {
        var nodes: [NodeRow] = []
        for row in rows {
            guard let state = NodeState(rawValue: try row.text("state")) else { throw .corrupt("unknown node state") }
            nodes.append(
                NodeRow(
                    identity: NodeIdentity(node: try row.integer("id"), incarnation: try row.int("incarnation")),
                    name: try row.text("name"), address: try row.text("address"), weight: try row.double("weight"),
                    state: state, isLive: try row.bool("is_live")))
        }
        return nodes
    }

    /// Writes where a running node is reached and, unless it stays, what its share is. Throws `.fenced` when it runs no more.
    public func describe(
        _ identity: NodeIdentity, address: String, weight: Double? = nil
    ) async throws(StoreError) {
        let rows = try await database.run(
            Statement(
                LeaseStore.describeNode,
                [
                    .int(identity.node), .int(identity.incarnation), .text(address),
                    weight.map(SQLValue.double) ?? .null,
                ]))
        guard rows.affectedCount > 0 else { throw .fenced }
    }

    /// Says what the node's place is from now on. A removed one stays removed. Whether there was such a node.
    @discardableResult
    public func setState(_ state: NodeState, ofNode node: UInt16) async throws(StoreError) -> Bool {
        let rows = try await database.run(
            Statement(LeaseStore.changeState, [.int(node), .text(state.rawValue)]))
        return rows.affectedCount > 0
    }

    /// As above, by the node itself: nothing if a newer incarnation of it runs.
    @discardableResult
    public func setState(_ state: NodeState, of identity: NodeIdentity) async throws(StoreError) -> Bool {
        let rows = try await database.run(
            Statement(
                LeaseStore.changeOwnState,
                [.int(identity.node), .int(identity.incarnation), .text(state.rawValue)]))
        return rows.affectedCount > 0
    }

    /// Says what the node's share of the slots is from now on. Whether there is such a node.
    @discardableResult
    public func setWeight(_ weight: Double, ofNode node: UInt16) async throws(StoreError) -> Bool {
        let rows = try await database.run(Statement(LeaseStore.changeWeight, [.int(node), .double(weight)]))
        return rows.affectedCount > 0
    }

    /// `voter` holds `subject` dead. Counts towards a take-over while the voter itself lives (`takeOver`).
    public func condemn(_ subject: NodeIdentity, by voter: NodeIdentity) async throws(StoreError) {
        let rows = try await database.run(
            Statement(
                LeaseStore.writeVerdict,
                [.int(subject.node), .int(subject.incarnation), .int(voter.node), .int(voter.incarnation)]))
        guard rows.affectedCount > 0 else { throw .fenced }
    }

    /// `voter` holds the node dead no longer.
    public func acquit(node: UInt16, by voter: NodeIdentity) async throws(StoreError) {
        try await database.run(Statement(LeaseStore.withdrawVerdict, [.int(node), .int(voter.node)]))
    }

    static let allNodes = PreparedQuery(
        "leases.allNodes",
        """
        SELECT id, name, incarnation, address, weight, state,
            clock_timestamp() - heartbeat_at <= $1 * interval '1 millisecond' AS is_live
        FROM nodes WHERE state <> 'removed' ORDER BY id
        """, [.int8])

    static let describeNode = PreparedQuery(
        "leases.describeNode",
        """
        UPDATE nodes SET address = $3, weight = coalesce($4, weight)
        WHERE id = $1 AND incarnation = $2 AND state <> 'removed'
        """,
        [.int2, .int8, .text, .float8])

    static let changeState = PreparedQuery(
        "leases.changeState", "UPDATE nodes SET state = $2 WHERE id = $1 AND state <> 'removed'", [.int2, .text])

    static let changeOwnState = PreparedQuery(
        "leases.changeOwnState",
        "UPDATE nodes SET state = $3 WHERE id = $1 AND incarnation = $2 AND state <> 'removed'", [.int2, .int8, .text])

    static let changeWeight = PreparedQuery(
        "leases.changeWeight", "UPDATE nodes SET weight = $2 WHERE id = $1 AND state <> 'removed'", [.int2, .float8])

    static let writeVerdict = PreparedQuery(
        "leases.writeVerdict",
        """
        INSERT INTO verdicts (subject, subject_incarnation, voter, voter_incarnation)
        SELECT $1, $2, id, incarnation FROM nodes WHERE id = $3 AND incarnation = $4 AND state <> 'removed'
        ON CONFLICT (subject, voter) DO UPDATE SET subject_incarnation = excluded.subject_incarnation,
            voter_incarnation = excluded.voter_incarnation, written_at = clock_timestamp()
        """, [.int2, .int8, .int2, .int8])

    static let withdrawVerdict = PreparedQuery(
        "leases.withdrawVerdict", "DELETE FROM verdicts WHERE subject = $1 AND voter = $2", [.int2, .int2])
}
