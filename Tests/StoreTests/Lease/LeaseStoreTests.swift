import FluxCore
import FluxTestSupport
import Synchronization
import Testing

@testable import FluxStore

/// Leases: every acquisition grows the epoch and fences the loser off, in one transaction.
@Suite(.timeLimit(.minutes(2))) struct LeaseStoreTests {
    private static func slots(_ numbers: UInt16...) -> [Slot] { numbers.map { Slot(rawValue: $0)! } }

    private static func generations(_ database: Database, of node: NodeIdentity) async throws -> [Int64] {
        let query = PreparedQuery(
            "test.generations", "SELECT gen FROM lanes WHERE node = $1 AND incarnation = $2 ORDER BY lane",
            [.int2, .int8])
        return try await database.run(Statement(query, [.int(node.node), .int(node.incarnation)])).map {
            try $0.int("gen")
        }
    }

    @Test func anAcquisitionGrowsTheEpochAndFencesTheLosersLaneAlone() async throws {
        try await withDatabase { database in
            let leases = LeaseStore(database)
            let one = try await leases.register(node: 1, name: "one", lanes: 3, at: .now()).identity
            let two = try await leases.register(node: 2, name: "two", lanes: 2, at: .now()).identity
            #expect(
                try await leases.acquire(Self.slots(0, 1, 2, 4), for: one)
                    == Dictionary(uniqueKeysWithValues: Self.slots(0, 1, 2, 4).map { ($0, 1) }))
            #expect(try await Self.generations(database, of: one) == [1, 1, 1])

            // 4 and 7: 4 was in node 1's lane 1; 7 has never been owned.
            let taken = try await leases.acquire(Self.slots(7, 4), for: two)
            #expect(taken == [Self.slots(4)[0]: 2, Self.slots(7)[0]: 1])
            #expect(try await Self.generations(database, of: one) == [1, 2, 1])
            #expect(try await Self.generations(database, of: two) == [1, 1])
            #expect(try await leases.owned(by: two) == taken)

            // The same node again: a new epoch, and its own lane has to look.
            #expect(try await leases.acquire(Self.slots(4), for: two) == [Self.slots(4)[0]: 3])
            #expect(try await Self.generations(database, of: two) == [2, 1])
            #expect(Set(try await leases.leases().map(\.slot)) == Set(Self.slots(0, 1, 2, 4, 7)))
        }
    }

    /// Several nodes take the same slots at once, again and again: of the epochs each is given once, the last one holds, and
    /// every one that lost has been fenced off.
    @Test func takersAtOnce() async throws {
        let test = try await TestPostgres.shared.database()
        let database = try test.open(connections: 6)
        let leases = LeaseStore(database)
        var nodes: [NodeIdentity] = []
        for node: UInt16 in 1...4 {
            nodes.append(try await leases.register(node: node, name: "n\(node)", lanes: 1, at: .now()).identity)
        }
        for round: UInt16 in 0..<25 {
            // Two that are new each time, and two that have an owner.
            let wanted = Self.slots(2 * round + 100, 2 * round + 101, 1, 2)
            var before: [NodeIdentity: Int64] = [:]
            for node in nodes { before[node] = try await Self.generations(database, of: node)[0] }
            let taken = try await withThrowingTaskGroup(of: (NodeIdentity, [Slot: Epoch]).self) { group in
                for node in nodes {
                    group.addTask {
                        (node, try await leases.acquire(wanted.shuffled(), for: node, losersAreDead: false))
                    }
                }
                var taken: [NodeIdentity: [Slot: Epoch]] = [:]
                for try await (node, epochs) in group { taken[node] = epochs }
                return taken
            }
            let stored = Dictionary(uniqueKeysWithValues: try await leases.leases().map { ($0.slot, $0) })
            for slot in wanted {
                let epochs = taken.values.compactMap { $0[slot] }
                #expect(Set(epochs).count == nodes.count, "an epoch was given twice: \(epochs)")
                let lease = try #require(stored[slot])
                #expect(lease.epoch == epochs.max())
                #expect(taken[lease.owner]?[slot] == lease.epoch)
            }
            for node in nodes where stored[wanted[0]]?.owner != node {
                let generation = try await Self.generations(database, of: node)[0]
                #expect(generation > before[node] ?? 0, "\(node) lost slot \(wanted[0]) and may go on committing")
            }
        }
        await database.close()
    }

    /// A slot without a row is taken while another taker, who is about to make that row, has not committed yet.
    @Test func theSecondTakerOfANewSlotFencesTheFirst() async throws {
        try await withDatabase { database in
            let leases = LeaseStore(database)
            let one = try await leases.register(node: 1, name: "one", lanes: 1, at: .now()).identity
            let two = try await leases.register(node: 2, name: "two", lanes: 1, at: .now()).identity
            let slot = Self.slots(9)
            let (made, go) = (Signal(), BlockingSignal())
            async let first: Void = database.transaction { transaction throws(StoreError) in
                try transaction.run(
                    Statement(LeaseStore.makeLeases, [.intArray([9]), .int(one.node), .int(one.incarnation)]))
                made.set()
                go.wait()
            }
            await made.wait()
            async let second = leases.acquire(slot, for: two, losersAreDead: false)
            while try await Self.waitingForLocks(database) == 0 { try await Task.sleep(for: .milliseconds(5)) }
            go.set()
            try await first
            #expect(try await second == [slot[0]: 2])
            #expect(try await Self.generations(database, of: one) == [2])
        }
    }

    private static func waitingForLocks(_ database: Database) async throws -> Int64 {
        let query = PreparedQuery(
            "test.waiting",
            """
            SELECT count(*) AS count FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'
            """)
        return try await database.run(Statement(query))[0].int("count")
    }

    /// A taker that waits for a stalled loser must not let its own node look dead.
    @Test func anAcquisitionThatWaitsDoesNotHoldUpHeartbeats() async throws {
        try await withDatabase { database in
            let leases = LeaseStore(database)
            let one = try await leases.register(node: 1, name: "one", lanes: 1, at: .now()).identity
            let two = try await leases.register(node: 2, name: "two", lanes: 1, at: .now()).identity
            _ = try await leases.acquire(Self.slots(3), for: one)
            let (held, go) = (Signal(), BlockingSignal())
            let lock = PreparedQuery("test.lock", "SELECT 1 FROM lanes WHERE node = 1 FOR UPDATE")
            async let stalled: Void = database.transaction { transaction throws(StoreError) in
                try transaction.run(Statement(lock))
                held.set()
                go.wait()
            }
            await held.wait()
            async let taken = leases.acquire(Self.slots(3), for: two, losersAreDead: false)
            while try await Self.waitingForLocks(database) == 0 { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await leases.heartbeat(two, highWaterMilliseconds: 1) > 1)
            go.set()
            try await stalled
            #expect(try await taken == [Self.slots(3)[0]: 2])
        }
    }

    @Test func aRestartStartsAboveEveryIdOfEarlierIncarnations() async throws {
        try await withDatabase { database in
            let leases = LeaseStore(database)
            let now = Timestamp(microseconds: 1_770_000_000_000_000)
            let first = try await leases.register(node: 1, name: "one", lanes: 2, at: now)
            #expect(first.idFloorMilliseconds == 0)
            #expect(first.idHighWaterMilliseconds == now.milliseconds + LeaseStore.reservation)
            let reserved = now.milliseconds + 10 * LeaseStore.reservation
            #expect(try await leases.heartbeat(first.identity, highWaterMilliseconds: reserved) == reserved)
            // An older wish takes nothing back.
            #expect(try await leases.heartbeat(first.identity, highWaterMilliseconds: 1) == reserved)

            let second = try await leases.register(node: 1, name: "one", lanes: 2, at: now)
            #expect(second.identity.incarnation == first.identity.incarnation + 1)
            #expect(second.idFloorMilliseconds == reserved)
            #expect(second.idHighWaterMilliseconds == reserved + LeaseStore.reservation)
            #expect(
                await storeError { _ = try await leases.heartbeat(first.identity, highWaterMilliseconds: 1) } == .fenced
            )
            #expect(await storeError { _ = try await leases.acquire(Self.slots(1), for: first.identity) } == .fenced)
            #expect(try await leases.leases().isEmpty)
        }
    }

    @Test func aRestoredBackupLeavesNoEarlierOwner() async throws {
        try await withDatabase { database in
            let leases = LeaseStore(database)
            let one = try await leases.register(node: 1, name: "one", lanes: 2, at: .now()).identity
            _ = try await leases.acquire(Self.slots(1), for: one)
            try await leases.raiseEveryEpoch()
            #expect(try await leases.owned(by: one) == [Self.slots(1)[0]: 1_000_001])
            #expect(try await Self.generations(database, of: one) == [2, 2])
        }
    }
}

/// Holds a thread of the pool until it is set.
final class BlockingSignal: Sendable {
    private let wakeup = try! Wakeup()
    func set() { wakeup.wake() }
    func wait() { wakeup.wait(orReadable: nil, for: .seconds(60)) }
}
