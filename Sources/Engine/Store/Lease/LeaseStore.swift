import FluxCore

/// The table of nodes and the table of leases: who runs, and who owns which slot (design 5 and 6).
///
/// An acquisition is one transaction: the lease's epoch grows by one and the generation of the loser's lane grows with
/// it, so that after its commit no batch of an earlier epoch can commit (I1). Rows are locked in one order: leases that
/// are made, leases that change hands, lanes, each by its key. Two takers of one slot come one after the other, and the
/// later one fences the earlier.
public struct LeaseStore: Sendable {
    /// Milliseconds that a node's ids may run ahead of what it has reserved (design 5).
    public static let reservation: Int64 = 5 * 60 * 1000

    let database: Database
    let patience: LeasePatience

    /// The tables of `database`; the times are design's unless a test needs others.
    public init(_ database: Database, patience: LeasePatience = LeasePatience()) {
        self.database = database
        self.patience = patience
    }

    /// A started node.
    public struct Registration: Sendable, Equatable {
        public var identity: NodeIdentity
        /// The node's ids carry no earlier time than this, in milliseconds since 1970: earlier incarnations may have used
        /// everything below it.
        public var idFloorMilliseconds: Int64
        /// The node's ids carry an earlier time than this; `heartbeat` moves it on.
        public var idHighWaterMilliseconds: Int64
    }

    /// Begins a new incarnation of `node`, with `lanes` lanes, and ends the database connections of its earlier ones. It
    /// takes part again, whether it was draining or had left. Throws `.fenced` when the node was removed.
    public func register(node: UInt16, name: String, lanes: Int, at now: Timestamp) async throws(StoreError)
        -> Registration
    {
        let nowMilliseconds = now.microseconds / 1000
        return try await database.transaction { transaction throws(StoreError) in
            let before = try transaction.run(Statement(LeaseStore.lockNode, [.int(node)])).first
            guard try before?.text("state") != NodeState.removed.rawValue else { throw .fenced }
            let floor = try before?.int("high_water_ms") ?? 0
            let highWater = max(floor, nowMilliseconds) + LeaseStore.reservation
            let incarnation = try (before?.int("incarnation") ?? 0) + 1
            try transaction.run([
                Statement(
                    LeaseStore.upsertNode,
                    [.int(node), .text(name), .int(incarnation), .int(lanes), .int(highWater)]),
                Statement(LeaseStore.insertLanes, [.int(node), .int(incarnation), .int(lanes)]),
                Statement(
                    LeaseStore.endEarlierBackends,
                    [.int(incarnation), .text("flux/\(node)/")]),
                Statement(LeaseStore.forgetVerdicts, [.int(node)]),
            ])
            return Registration(
                identity: NodeIdentity(node: node, incarnation: incarnation), idFloorMilliseconds: floor,
                idHighWaterMilliseconds: highWater)
        }
    }

    /// Says that the node lives, and reserves ids below `highWaterMilliseconds` (since 1970). Returns what is reserved.
    ///
    /// Throws `.fenced` when a newer incarnation of the node runs, or when it was removed.
    public func heartbeat(_ identity: NodeIdentity, highWaterMilliseconds: Int64) async throws(StoreError) -> Int64 {
        let rows = try await database.run(
            Statement(
                LeaseStore.beat,
                [
                    .int(identity.node), .int(identity.incarnation), .int(highWaterMilliseconds),
                    .int(patience.breakMilliseconds),
                ]))
        guard let row = rows.first else { throw .fenced }
        return try row.int("high_water_ms")
    }

    /// Reserves ids below `milliseconds` (since 1970) at once, without saying that the node lives. Returns what is reserved.
    ///
    /// Throws `.fenced` when a newer incarnation of the node runs, or when it was removed.
    public func reserve(_ identity: NodeIdentity, upTo milliseconds: Int64) async throws(StoreError) -> Int64 {
        let rows = try await database.run(
            Statement(
                LeaseStore.reserveIDs, [.int(identity.node), .int(identity.incarnation), .int(milliseconds)]))
        guard let row = rows.first else { throw .fenced }
        return try row.int("high_water_ms")
    }

    /// Takes `slots`, whoever held them, and returns their new epochs. After it has returned the losers cannot commit.
    ///
    /// `losersAreDead`: their lanes' connections are ended, so that one which stalls inside a transaction cannot hold the
    /// acquisition up. Throws `.fenced` when a newer incarnation of this node runs.
    public func acquire(
        _ slots: some Collection<Slot> & Sendable, for identity: NodeIdentity, losersAreDead: Bool = true
    ) async throws(StoreError) -> [Slot: Epoch] {
        let numbers = SQLValue.intArray(slots.map { Int64($0.rawValue) }.sorted())
        let node: [SQLValue] = [.int(identity.node), .int(identity.incarnation)]
        if losersAreDead {
            // In a transaction of its own: the backends must be gone before their rows are waited for.
            try await database.run(Statement(LeaseStore.endLosersBackends, [numbers] + node))
        }
        return try await database.transaction(timeout: .seconds(30)) { transaction throws(StoreError) in
            // Slots that have never been owned have no row to lock: whoever makes it first owns it, and a second taker
            // waits here for the first one's commit, so that below it finds a loser to fence.
            let first = try transaction.run([
                Statement(LeaseStore.lockIncarnation, node),
                Statement(LeaseStore.makeLeases, [numbers] + node),
            ])
            guard !first[0].isEmpty else { throw .fenced }
            let made = try LeaseStore.epochs(first[1])
            let held = SQLValue.intArray(
                slots.filter { made[$0] == nil }.map { Int64($0.rawValue) }.sorted())
            let answers = try transaction.run([
                Statement(LeaseStore.lockLeases, [held]),
                Statement(LeaseStore.lockLosersLanes, [held]),
                Statement(LeaseStore.renewLosersLanes, [held]),
                Statement(LeaseStore.takeLeases, [held] + node),
                Statement(LeaseStore.forgetLanes),
            ])
            return made.merging(try LeaseStore.epochs(answers[3])) { $1 }
        }
    }

    /// What `identity` owns.
    public func owned(by identity: NodeIdentity) async throws(StoreError) -> [Slot: Epoch] {
        let rows = try await database.run(
            Statement(LeaseStore.ownedLeases, [.int(identity.node), .int(identity.incarnation)]))
        return try LeaseStore.epochs(rows)
    }

    /// One row of the table of leases.
    public struct Lease: Sendable, Equatable {
        public var slot: Slot
        public var owner: NodeIdentity
        public var epoch: Epoch
    }

    /// All leases, by slot.
    public func leases() async throws(StoreError) -> [Lease] {
        var leases: [Lease] = []
        for row in try await database.run(Statement(LeaseStore.allLeases)) {
            let owner = NodeIdentity(node: try row.integer("node"), incarnation: try row.int("incarnation"))
            leases.append(Lease(slot: try LeaseStore.slot(row), owner: owner, epoch: try row.int("epoch")))
        }
        return leases
    }

    /// Raises every epoch by a million, after a backup was put back: whatever epochs the lost time has seen are below.
    /// Lanes of nodes that still run are fenced off and find out that their leases are of earlier epochs.
    public func raiseEveryEpoch() async throws(StoreError) {
        try await database.transaction([
            Statement(LeaseStore.raiseEpochs), Statement(LeaseStore.renewEveryLane),
        ])
    }

    // MARK: Machinery

    static func epochs(_ rows: Rows) throws(StoreError) -> [Slot: Epoch] {
        var epochs: [Slot: Epoch] = [:]
        for row in rows { epochs[try slot(row)] = try row.int("epoch") }
        return epochs
    }

    static func slot(_ row: Row) throws(StoreError) -> Slot {
        guard let slot = Slot(rawValue: try row.integer("slot")) else { throw .corrupt("slot is out of range") }
        return slot
    }
}
