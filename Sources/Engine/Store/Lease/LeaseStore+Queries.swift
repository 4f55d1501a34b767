extension LeaseStore {
    static let lockNode = PreparedQuery(
        "leases.lockNode", "SELECT incarnation, high_water_ms, state FROM nodes WHERE id = $1 FOR UPDATE", [.int2])

    static let upsertNode = PreparedQuery(
        "leases.upsertNode",
        """
        INSERT INTO nodes (id, name, incarnation, lanes, high_water_ms) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, incarnation = excluded.incarnation,
            lanes = excluded.lanes, high_water_ms = excluded.high_water_ms,
            heartbeat_at = clock_timestamp(), started_at = clock_timestamp(), unbroken_since = clock_timestamp(),
            state = 'active'
        WHERE nodes.incarnation < excluded.incarnation
        """, [.int2, .text, .int8, .int2, .int8])

    /// What earlier incarnations of the node held of others, and others of them.
    static let forgetVerdicts = PreparedQuery(
        "leases.forgetVerdicts", "DELETE FROM verdicts WHERE subject = $1 OR voter = $1", [.int2])

    static let insertLanes = PreparedQuery(
        "leases.insertLanes",
        "INSERT INTO lanes (node, incarnation, lane) SELECT $1, $2, generate_series(0, $3 - 1)",
        [.int2, .int8, .int4])

    /// `$2` is what the application names of the node's connections begin with; the incarnation stands next in them. Other
    /// databases of the server may belong to other clusters, whose nodes have the same numbers.
    static let endEarlierBackends = PreparedQuery(
        "leases.endEarlierBackends",
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND starts_with(application_name, $2)
            AND split_part(application_name, '/', 3) ~ '^[0-9]{1,18}$'
            AND split_part(application_name, '/', 3)::bigint < $1
        """, [.int8, .text])

    static let beat = PreparedQuery(
        "leases.beat",
        """
        UPDATE nodes SET heartbeat_at = clock_timestamp(), high_water_ms = greatest(high_water_ms, $3),
            unbroken_since = CASE WHEN clock_timestamp() - heartbeat_at > $4 * interval '1 millisecond'
                THEN clock_timestamp() ELSE unbroken_since END
        WHERE id = $1 AND incarnation = $2 AND state <> 'removed'
        RETURNING high_water_ms
        """, [.int2, .int8, .int8, .int8])

    static let reserveIDs = PreparedQuery(
        "leases.reserveIDs",
        """
        UPDATE nodes SET high_water_ms = greatest(high_water_ms, $3)
        WHERE id = $1 AND incarnation = $2 AND state <> 'removed'
        RETURNING high_water_ms
        """, [.int2, .int8, .int8])

    /// The backends of the present holders of the slots `$1`, unless those are the taker, `$2` and `$3`; of connections whose
    /// names go on with `connection`.
    private static func losersBackends(_ connection: String) -> String {
        """
        FROM (SELECT DISTINCT node, incarnation FROM leases
              WHERE slot = ANY ($1) AND (node, incarnation) <> ($2, $3)) AS loser
        JOIN pg_stat_activity AS activity
            ON activity.datname = current_database()
            AND starts_with(activity.application_name, format('flux/%s/%s/\(connection)', loser.node, loser.incarnation))
        """
    }

    static let endLosersBackends = PreparedQuery(
        "leases.endLosersBackends", "SELECT pg_terminate_backend(activity.pid, 1000) \(losersBackends("lane-"))",
        [.int2Array, .int2, .int8])

    /// Ends the transactions in which the present holders of the slots have stood still for a second: nothing is to be
    /// heard from those that are cut off, and lanes and leases that they have locked could not change hands before the
    /// server gave them up. A holder that lives is asked for its slots by nobody, and takes no second for a step.
    static let endStalledTransactions = PreparedQuery(
        "leases.endStalledTransactions",
        """
        SELECT pg_terminate_backend(activity.pid, 1000) \(losersBackends(""))
        WHERE starts_with(activity.state, 'idle in transaction')
            AND clock_timestamp() - activity.state_change > interval '1 second'
        """, [.int2Array, .int2, .int8])

    /// Keeps `register` from beginning a new incarnation until the acquisition is over, but not a heartbeat from being
    /// written: an acquisition that waits must not make its own node look dead.
    static let lockIncarnation = PreparedQuery(
        "leases.lockIncarnation", "SELECT id FROM nodes WHERE id = $1 AND incarnation = $2 FOR KEY SHARE",
        [.int2, .int8])

    /// Makes the rows of slots that have none. Waits for another transaction that is making one of them.
    static let makeLeases = PreparedQuery(
        "leases.make",
        """
        INSERT INTO leases (slot, node, incarnation, epoch)
        SELECT wanted.slot, node.id, node.incarnation, 1
        FROM unnest($1) AS wanted (slot), nodes AS node WHERE node.id = $2 AND node.incarnation = $3
        ORDER BY wanted.slot
        ON CONFLICT (slot) DO NOTHING
        RETURNING slot, epoch
        """, [.int2Array, .int2, .int8])

    static let lockLeases = PreparedQuery(
        "leases.lockLeases", "SELECT slot FROM leases WHERE slot = ANY ($1) ORDER BY slot FOR UPDATE", [.int2Array])

    /// Leaves out what another transaction has locked: another taker, or an owner that gives it away. One that stands still
    /// must not keep the others.
    static let lockUnlockedLeases = PreparedQuery(
        "leases.lockUnlocked", "SELECT slot FROM leases WHERE slot = ANY ($1) ORDER BY slot FOR UPDATE SKIP LOCKED",
        [.int2Array])

    /// The lanes through which the present holders write to the slots. A holder whose number of lanes is not known, since
    /// its node has started again, loses all of them: its incarnation is over.
    private static let losersLanes = """
        FROM leases AS lease
        JOIN lanes AS lane ON lane.node = lease.node AND lane.incarnation = lease.incarnation
        LEFT JOIN nodes AS node ON node.id = lease.node AND node.incarnation = lease.incarnation
        WHERE lease.slot = ANY ($1) AND (node.id IS NULL OR lane.lane = lease.slot % node.lanes)
        """

    static let lockLosersLanes = PreparedQuery(
        "leases.lockLosersLanes",
        """
        SELECT 1 FROM lanes
        WHERE (node, incarnation, lane) IN (SELECT lane.node, lane.incarnation, lane.lane \(losersLanes))
        ORDER BY node, incarnation, lane FOR UPDATE
        """, [.int2Array])

    static let renewLosersLanes = PreparedQuery(
        "leases.renewLosersLanes",
        """
        UPDATE lanes SET gen = gen + 1
        WHERE (node, incarnation, lane) IN (SELECT lane.node, lane.incarnation, lane.lane \(losersLanes))
        """, [.int2Array])

    static let takeLeases = PreparedQuery(
        "leases.take",
        """
        UPDATE leases SET node = $2, incarnation = $3, epoch = epoch + 1, acquired_at = clock_timestamp()
        WHERE slot = ANY ($1)
        RETURNING slot, epoch
        """, [.int2Array, .int2, .int8])

    /// Lanes of incarnations that are over and hold nothing any more. One that is in use is left for the next time.
    static let forgetLanes = PreparedQuery(
        "leases.forgetLanes",
        """
        DELETE FROM lanes WHERE (node, incarnation, lane) IN (
            SELECT node, incarnation, lane FROM lanes AS lane
            WHERE NOT EXISTS (SELECT FROM nodes WHERE id = lane.node AND incarnation = lane.incarnation)
                AND NOT EXISTS (SELECT FROM leases WHERE node = lane.node AND incarnation = lane.incarnation)
            ORDER BY node, incarnation, lane FOR UPDATE SKIP LOCKED)
        """)

    static let ownedLeases = PreparedQuery(
        "leases.owned", "SELECT slot, epoch FROM leases WHERE node = $1 AND incarnation = $2", [.int2, .int8])

    static let allLeases = PreparedQuery(
        "leases.all", "SELECT slot, node, incarnation, epoch FROM leases ORDER BY slot")

    static let raiseEpochs = PreparedQuery("leases.raise", "UPDATE leases SET epoch = epoch + 1000000")

    static let renewEveryLane = PreparedQuery("leases.renewEveryLane", "UPDATE lanes SET gen = gen + 1")
}
