import FluxCore

/// The statements around a batch: the fence that lets it commit only while the lane is what we believe, and the
/// resolution that makes every earlier batch impossible before it says what is in (design 6).
struct LaneFence: Sendable {
    let identity: NodeIdentity
    let lane: Int

    /// Moves the lane on to `batch`, or fails with `refusalState` when the generation is another or `batch` is not the
    /// next. A failed statement makes Postgres skip the rest of the pipeline, so nothing has to be waited for.
    func statement(for batch: LaneBatch) -> Statement {
        Statement(LaneFence.advance, key + [.int(batch.generation), .int(batch.number)])
    }

    /// SQLSTATE of the division by zero with which the fence refuses.
    static let refusalState = "22012"

    private static let advance = PreparedQuery(
        "lane.fence",
        """
        WITH moved AS (
            UPDATE lanes SET batch = $5
            WHERE node = $1 AND incarnation = $2 AND lane = $3 AND gen = $4 AND batch = $5 - 1
            RETURNING 1)
        SELECT 1 / count(*) FROM moved
        """, [.int2, .int8, .int2, .int8, .int8])

    /// Ends backends of the lane's earlier connections, so that what they still hold locked is freed.
    func endGhosts(applicationName: String) -> Statement {
        Statement(LaneFence.terminate, [.text(applicationName)])
    }

    private static let terminate = PreparedQuery(
        "lane.endGhosts",
        """
        SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = $1 AND pid <> pg_backend_pid()
        """, [.text])

    /// Reads the lane's view in the order that makes it safe: first the generation grows, which waits for a transaction
    /// that holds the row; then, with a later snapshot, the leases are read. An acquisition is either seen by that
    /// reading, or it comes after this commit and changes the generation again.
    ///
    /// Nil: the lane has no row.
    func view(in transaction: borrowing Transaction) throws(StoreError) -> LaneView? {
        let answers = try transaction.run([
            Statement(LaneFence.renew, key),
            Statement(LaneFence.leases, [.int(identity.node), .int(identity.incarnation)]),
        ])
        guard let row = answers[0].first else { return nil }
        var leases: [Slot: Epoch] = [:]
        for lease in answers[1] {
            guard let slot = Slot(rawValue: try lease.integer("slot")) else { throw .corrupt("slot is out of range") }
            leases[slot] = try lease.int("epoch")
        }
        return LaneView(generation: try row.int("gen"), batch: try row.int("batch"), leases: leases)
    }

    private static let renew = PreparedQuery(
        "lane.renew",
        """
        UPDATE lanes SET gen = gen + 1 WHERE node = $1 AND incarnation = $2 AND lane = $3
        RETURNING gen, batch
        """, [.int2, .int8, .int2])

    private static let leases = PreparedQuery(
        "lane.leases", "SELECT slot, epoch FROM leases WHERE node = $1 AND incarnation = $2", [.int2, .int8])

    private var key: [SQLValue] { [.int(identity.node), .int(identity.incarnation), .int(lane)] }
}
