import FluxCore

/// The table of nodes and the table of leases: who runs, and who owns which slot (design 5 and 6).
///
/// An acquisition is one transaction: the lease's epoch grows by one and the generation of the loser's lane grows with
/// it, so that after its commit no batch of an earlier epoch can commit (I1). Rows are locked in one order, leases before
/// lanes, each by its key.
public struct LeaseStore: Sendable {
    /// Milliseconds that a node's ids may run ahead of what it has reserved (design 5).
    public static let reservation: Int64 = 5 * 60 * 1000

    private let database: Database

    public init(_ database: Database) { self.database = database }

    /// A started node.
    public struct Registration: Sendable, Equatable {
        public var identity: NodeIdentity
        /// The node's ids carry no earlier time than this, in milliseconds since 1970: earlier incarnations may have used
        /// everything below it.
        public var idFloorMilliseconds: Int64
        /// The node's ids carry an earlier time than this; `heartbeat` moves it on.
        public var idHighWaterMilliseconds: Int64
    }

    /// Begins a new incarnation of `node`, with `lanes` lanes, and ends the database connections of its earlier ones.
    public func register(node: UInt16, name: String, lanes: Int, at now: Timestamp) async throws(StoreError)
        -> Registration
    {
        let nowMilliseconds = now.microseconds / 1000
        return try await database.transaction { transaction throws(StoreError) in
            let before = try transaction.run(Statement(LeaseStore.lockNode, [.int(node)])).first
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
            Statement(LeaseStore.beat, [.int(identity.node), .int(identity.incarnation), .int(highWaterMilliseconds)]))
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
            guard try !transaction.run(Statement(LeaseStore.lockIncarnation, node)).isEmpty else { throw .fenced }
            let answers = try transaction.run([
                Statement(LeaseStore.lockLeases, [numbers]),
                Statement(LeaseStore.lockLosersLanes, [numbers]),
                Statement(LeaseStore.renewLosersLanes, [numbers]),
                Statement(LeaseStore.takeLeases, [numbers] + node),
                Statement(LeaseStore.forgetLanes),
            ])
            return try LeaseStore.epochs(answers[3])
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
    public func raiseEveryEpoch() async throws(StoreError) {
        try await database.run(Statement(LeaseStore.raiseEpochs))
    }

    // MARK: Machinery

    private static func epochs(_ rows: Rows) throws(StoreError) -> [Slot: Epoch] {
        var epochs: [Slot: Epoch] = [:]
        for row in rows { epochs[try slot(row)] = try row.int("epoch") }
        return epochs
    }

    private static func slot(_ row: Row) throws(StoreError) -> Slot {
        guard let slot = Slot(rawValue: try row.integer("slot")) else { throw .corrupt("slot is out of range") }
        return slot
    }
}
