import FluxCore

/// How slots change hands between nodes (design 5 and 6).
///
/// Whatever is asked for, Postgres alone decides, by its own clock and in one transaction, whether a slot may be taken. A
/// mistake about who is dead costs the slot's owner its lease and never a commit: the fence is renewed with the lease.
extension LeaseStore {
    /// Why a slot could be taken from its owner.
    public enum TakeOverReason: String, Sendable {
        /// Nobody ever had it.
        case free
        /// The owner has started again, has left, or was removed.
        case over
        /// The owner agreed, as it has no way to Postgres.
        case consented
        /// More than half of the members hold the owner dead.
        case voted
        /// The owner's heartbeats have stopped.
        case expired
    }

    /// A slot that was taken.
    public struct Taken: Sendable, Hashable {
        /// The taker's epoch.
        public var epoch: Epoch
        /// Why it could be taken.
        public var reason: TakeOverReason

        /// A slot at an epoch.
        public init(epoch: Epoch, reason: TakeOverReason) {
            self.epoch = epoch
            self.reason = reason
        }
    }

    /// Takes those of `slots` that may be taken from their owners; the others stay where they are, and are not in the
    /// result, nor are those that somebody else takes or gives away at this moment. After it has returned the losers cannot
    /// commit.
    ///
    /// A slot may be taken when nobody has it, when its owner's incarnation is over, when the owner has `consented` at the
    /// epoch that the lease has, or when the owner is dead: because more than half of the members that may live have
    /// written so, each of them living itself, or because its heartbeats have stopped. That time counts from the latest of
    /// its last heartbeat, Postgres's start, and the taker's own return. In the count a member lives until its heartbeats
    /// have stopped in this sense; as a voter only while its heartbeat is young.
    ///
    /// Throws `.fenced` when a newer incarnation of this node runs.
    public func takeOver(
        _ slots: some Collection<Slot> & Sendable, for identity: NodeIdentity, consented: [Slot: Epoch] = [:]
    ) async throws(StoreError) -> [Slot: Taken] {
        // A break in the taker's own heartbeats is noted by its next one, so that comes first.
        _ = try await heartbeat(identity, highWaterMilliseconds: 0)
        let node: [SQLValue] = [.int(identity.node), .int(identity.incarnation)]
        let numbers = LeaseStore.numbers(slots)
        let consents = consented.sorted { $0.key < $1.key }
        let question =
            [numbers] + node + [
                .int(patience.expiryMilliseconds), .int(patience.breakMilliseconds),
                .intArray(consents.map { Int64($0.key.rawValue) }), .intArray(consents.map(\.value)),
            ]
        return try await database.transaction(timeout: .seconds(30)) { transaction throws(StoreError) in
            guard try !transaction.run(Statement(LeaseStore.lockIncarnation, node)).isEmpty else { throw .fenced }
            let locked = try transaction.run([
                Statement(LeaseStore.endStalledTransactions, [numbers] + node),
                Statement(LeaseStore.lockUnlockedLeases, [numbers]),
            ])[1]
            let lockedNumbers = SQLValue.intArray(try locked.map { row throws(StoreError) in try row.int("slot") })
            // What may be taken is read after the locks were got, so that it sees what another taker did meanwhile.
            let takeable = try transaction.run(Statement(LeaseStore.takeable, question + [lockedNumbers]))
            var reasons: [Slot: TakeOverReason] = [:]
            for row in takeable {
                guard let reason = TakeOverReason(rawValue: try row.text("reason")) else { throw .corrupt("reason") }
                reasons[try LeaseStore.slot(row)] = reason
            }
            guard !reasons.isEmpty else { return [:] }
            // Kept apart: a lease that is missing now may be somebody's a moment later.
            let free = LeaseStore.numbers(reasons.filter { $0.value == .free }.keys)
            let lost = LeaseStore.numbers(reasons.filter { $0.value != .free }.keys)
            let answers = try transaction.run([
                Statement(LeaseStore.endLosersBackends, [lost] + node),
                Statement(LeaseStore.lockLosersLanes, [lost]),
                Statement(LeaseStore.renewLosersLanes, [lost]),
                Statement(LeaseStore.moveLeases, [lost] + node),
                Statement(LeaseStore.claimLeases, [free] + node),
                Statement(LeaseStore.forgetLanes),
            ])
            var result: [Slot: Taken] = [:]
            for answer in [answers[3], answers[4]] {
                for (slot, epoch) in try LeaseStore.epochs(answer) {
                    result[slot] = Taken(epoch: epoch, reason: reasons[slot] ?? .free)
                }
            }
            return result
        }
    }

    /// Gives slots that `identity` holds at these epochs to `successor`, and returns the successor's epochs. Those that it
    /// does not hold so any more are not in the result; nothing is when the successor does not run or does not live.
    ///
    /// What was decided under the old epochs must be committed before: afterwards it cannot be. Throws `.fenced` when a
    /// newer incarnation of this node runs.
    public func release(
        _ slots: [Slot: Epoch], of identity: NodeIdentity, to successor: NodeIdentity
    ) async throws(StoreError) -> [Slot: Epoch] {
        let held = slots.sorted { $0.key < $1.key }
        let numbers = SQLValue.intArray(held.map { Int64($0.key.rawValue) })
        let own: [SQLValue] = [.int(identity.node), .int(identity.incarnation)]
        let next: [SQLValue] = [.int(successor.node), .int(successor.incarnation)]
        return try await database.transaction { [patience] transaction throws(StoreError) in
            let nodes = try transaction.run(
                Statement(LeaseStore.lockPair, own + next + [.int(patience.expiryMilliseconds)]))
            var (ownerRuns, successorMayFollow) = (false, false)
            for row in nodes {
                if try row.bool("is_owner") { ownerRuns = true }
                if try row.bool("may_follow") { successorMayFollow = true }
            }
            guard ownerRuns else { throw .fenced }
            guard successorMayFollow else { return [:] }
            let rows = try transaction.run([
                Statement(LeaseStore.lockLeases, [numbers]),
                Statement(LeaseStore.stillHeld, [numbers, .intArray(held.map(\.value))] + own),
            ])[1]
            let given = SQLValue.intArray(try rows.map { row throws(StoreError) in try row.int("slot") })
            let answers = try transaction.run([
                Statement(LeaseStore.lockLosersLanes, [given]),
                Statement(LeaseStore.renewLosersLanes, [given]),
                Statement(LeaseStore.moveLeases, [given] + next),
            ])
            return try LeaseStore.epochs(answers[2])
        }
    }

    private static func numbers(_ slots: some Collection<Slot>) -> SQLValue {
        .intArray(slots.map { Int64($0.rawValue) }.sorted())
    }

    /// `$1` slots, `$2` and `$3` the taker, `$4` expiry and `$5` longest gap in milliseconds, `$6` and `$7` the slots and
    /// epochs that their owner has agreed to, `$8` the slots whose leases are locked.
    static let takeable = PreparedQuery(
        "leases.takeable",
        """
        WITH clock AS MATERIALIZED (
            SELECT clock_timestamp() AS now, $4 * interval '1 millisecond' AS expiry,
                $5 * interval '1 millisecond' AS gap),
        taker AS MATERIALIZED (
            SELECT greatest(unbroken_since, pg_postmaster_start_time()) AS watches_since
            FROM nodes, clock
            WHERE id = $2 AND incarnation = $3 AND state IN ('active', 'draining') AND now - heartbeat_at <= gap),
        members AS MATERIALIZED (
            SELECT id, incarnation, unbroken_since, now - heartbeat_at <= expiry AS lives,
                now - greatest(heartbeat_at, watches_since) <= expiry AS may_live
            FROM nodes, clock, taker WHERE state IN ('active', 'draining')),
        condemned AS MATERIALIZED (
            SELECT subject, subject_incarnation
            FROM verdicts JOIN members AS voters ON voters.id = voter AND voters.incarnation = voter_incarnation
            WHERE voter <> subject AND voters.lives AND written_at >= voters.unbroken_since
            GROUP BY subject, subject_incarnation
            HAVING 2 * count(*) > (SELECT count(*) FROM members WHERE may_live)),
        judged AS (
            SELECT wanted.slot, CASE
                WHEN lease.slot IS NULL THEN 'free'
                WHEN lease.slot <> ALL ($8) THEN NULL
                WHEN owner.id IS NULL THEN 'over'
                WHEN (lease.node, lease.incarnation) = ($2, $3) THEN NULL
                WHEN EXISTS (
                    SELECT FROM unnest($6, $7) AS consent (slot, epoch)
                    WHERE consent.slot = lease.slot AND consent.epoch = lease.epoch) THEN 'consented'
                WHEN EXISTS (
                    SELECT FROM condemned
                    WHERE subject = lease.node AND subject_incarnation = lease.incarnation) THEN 'voted'
                WHEN NOT owner.may_live THEN 'expired'
                END AS reason
            FROM taker CROSS JOIN (SELECT DISTINCT unnest($1) AS slot) AS wanted
            LEFT JOIN leases AS lease ON lease.slot = wanted.slot
            LEFT JOIN members AS owner ON owner.id = lease.node AND owner.incarnation = lease.incarnation)
        SELECT slot, reason FROM judged WHERE reason IS NOT NULL
        """, [.int2Array, .int2, .int8, .int8, .int8, .int2Array, .int8Array, .int2Array],
        repeatable: false)

    /// The leases are locked and were found to be the taker's to take, or their owner's to give.
    static let moveLeases = PreparedQuery(
        "leases.move",
        """
        UPDATE leases SET node = $2, incarnation = $3, epoch = epoch + 1, acquired_at = clock_timestamp()
        WHERE slot = ANY ($1)
        RETURNING slot, epoch
        """, [.int2Array, .int2, .int8])

    /// Makes the leases that are missing. Whoever was faster keeps what it has.
    static let claimLeases = PreparedQuery(
        "leases.claim",
        """
        INSERT INTO leases (slot, node, incarnation, epoch) SELECT slot, $2, $3, 1 FROM unnest($1) AS wanted (slot)
        ORDER BY slot
        ON CONFLICT (slot) DO NOTHING
        RETURNING slot, epoch
        """, [.int2Array, .int2, .int8])

    /// Keeps both from beginning a new incarnation until the slots have moved, but not their heartbeats from being written: a
    /// node that gives many slots away must not look dead.
    static let lockPair = PreparedQuery(
        "leases.lockPair",
        """
        SELECT (id, incarnation) = ($1, $2) AS is_owner,
            (id, incarnation) = ($3, $4) AND state = 'active'
                AND clock_timestamp() - heartbeat_at <= $5 * interval '1 millisecond' AS may_follow
        FROM nodes WHERE (id, incarnation) IN (($1, $2), ($3, $4)) AND state <> 'removed' ORDER BY id FOR KEY SHARE
        """, [.int2, .int8, .int2, .int8, .int8], repeatable: false)

    static let stillHeld = PreparedQuery(
        "leases.stillHeld",
        """
        SELECT lease.slot FROM unnest($1, $2) AS held (slot, epoch)
        JOIN leases AS lease ON lease.slot = held.slot AND lease.epoch = held.epoch
        WHERE lease.node = $3 AND lease.incarnation = $4
        """, [.int2Array, .int8Array, .int2, .int8], repeatable: false)
}
