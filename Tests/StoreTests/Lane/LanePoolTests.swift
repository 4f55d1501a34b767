import FluxCore
import FluxFuzzing
import FluxTestSupport
import NIOConcurrencyHelpers
import Testing

@testable import FluxStore

/// Lanes over a real Postgres: nothing told committed is missing, nothing is there twice, nothing is there untold.
@Suite(.timeLimit(.minutes(3))) struct LanePoolTests {
    @Test func whatIsWrittenIsStoredInOrder() async throws {
        try await withLanes { fixture in
            for _ in 0..<250 {
                for slot: UInt16 in [2, 3, 4, 5] { try await fixture.write(slot) }
            }
            try await fixture.checkAll()
            #expect(Set(fixture.outcomes.results.values) == [.committed])
            #expect(try await fixture.rows(2) == Array(1...250))
            #expect(fixture.lanes.rowCount == 0 && fixture.lanes.oldestAge == .zero)
        }
    }

    // MARK: Owners change

    /// Node 2 takes slot 2 while node 1 writes to it and to slot 4, which shares its lane.
    @Test(arguments: [true, false]) func anAcquisitionEndsTheOldOwnersBatches(endingBackends: Bool) async throws {
        try await withLanes { fixture in
            let other = try await fixture.leases.register(node: 2, name: "two", lanes: 3, at: .now()).identity
            let writing = Task {
                for _ in 0..<1500 {
                    for slot: UInt16 in [2, 3, 4] { try await fixture.write(slot) }
                    await Task.yield()
                }
            }
            await fixture.outcomes.wait(for: 100)
            let epochs = try await fixture.leases.acquire(
                [LaneFixture.slot(2)], for: other, losersAreDead: endingBackends)
            #expect(epochs == [LaneFixture.slot(2): 2])
            let inherited = try await fixture.rows(2)
            try await writing.value
            try await fixture.checkAll([2, 3, 4])
            #expect(try await fixture.rows(2) == inherited)
            #expect(try await fixture.rows(3) == Array(1...1500))
            #expect(try await fixture.rows(4) == Array(1...1500))
            let results = fixture.outcomes.results.values
            #expect(results.count { $0 == .lost } == 1500 - inherited.count)
            #expect(results.allSatisfy { $0 == .committed || $0 == .lost })
        }
    }

    /// The batch's fence has passed when the acquisition comes; its COMMIT is stuck on the way.
    @Test func anAcquisitionDoesNotWaitForAStalledWriterWhoseNodeIsDead() async throws {
        try await withProxiedLanes { fixture, proxy in
            for slot: UInt16 in [2, 4] { try await fixture.write(slot) }
            try await fixture.checkAll([2, 4])
            let stalled = Signal()
            proxy.onCommit {
                stalled.set()
                return .stall(.seconds(3))
            }
            try await fixture.write(2)
            try await fixture.write(4)
            await stalled.wait()
            proxy.onCommit { .none }
            let other = try await fixture.leases.register(node: 2, name: "two", lanes: 2, at: .now()).identity
            _ = try await fixture.leases.acquire([LaneFixture.slot(2)], for: other)
            let inherited = try await fixture.rows(2)
            try await fixture.checkAll([2, 4])
            // Between the end of its backend and the acquisition the lane still owns the slot, and may have tried again.
            #expect(inherited == [1] || inherited == [1, 2])
            #expect(try await fixture.rows(2) == inherited)
            #expect(try await fixture.rows(4) == [1, 2])
        }
    }

    /// Without an end to its backend the acquisition waits for the stalled writer, and what it inherits is what stays.
    @Test func anAcquisitionWaitsForAStalledWriterThatLives() async throws {
        try await withProxiedLanes { fixture, proxy in
            let stalled = Signal()
            proxy.onCommit {
                stalled.set()
                return .stall(.seconds(3))
            }
            try await fixture.write(2)
            await stalled.wait()
            proxy.onCommit { .none }
            try await fixture.write(2)
            let other = try await fixture.leases.register(node: 2, name: "two", lanes: 2, at: .now()).identity
            _ = try await fixture.leases.acquire([LaneFixture.slot(2)], for: other, losersAreDead: false)
            let inherited = try await fixture.rows(2)
            try await fixture.checkAll([2])
            #expect(inherited == [1] && fixture.outcomes.results.values.contains(.lost))
            #expect(try await fixture.rows(2) == inherited)
        }
    }

    @Test func aNewerIncarnationEndsTheLanes() async throws {
        try await withLanes { fixture in
            try await fixture.write(2)
            try await fixture.checkAll([2])
            let next = try await fixture.leases.register(node: 1, name: "one", lanes: 2, at: .now()).identity
            // It takes over all that the earlier one held; the lanes of that one are forgotten.
            _ = try await fixture.leases.acquire([2, 3, 4, 5].map(LaneFixture.slot), for: next)
            var accepted = 0
            for slot: UInt16 in [2, 3] {
                do {
                    try await fixture.write(slot)
                    accepted += 1
                } catch StoreError.fenced {}
            }
            await fixture.outcomes.wait(for: 1 + accepted)
            #expect(fixture.outcomes.results.values.count { $0 == .lost } == accepted)
            #expect(try await fixture.rows(2) == [1])
            #expect(try await fixture.rows(3).isEmpty)
        }
    }

    // MARK: Connections die

    @Test func connectionsAreEndedAtRandomMoments() async throws {
        try await withLanes { fixture in
            let writing = Task {
                for _ in 0..<1500 {
                    for slot: UInt16 in [2, 3, 4, 5] { try await fixture.write(slot) }
                    await Task.yield()
                }
            }
            for round in 1...25 {
                await fixture.outcomes.wait(for: round * 100)
                try await LaneFixture.endBackends(fixture.database, named: fixture.identity.applicationName("lane-"))
            }
            try await writing.value
            try await fixture.checkAll()
            #expect(Set(fixture.outcomes.results.values) == [.committed])
        }
    }

    /// Between fence and COMMIT, and between COMMIT and its answer.
    @Test(arguments: [1, 2, 3] as [UInt64]) func commitsAndTheirAnswersAreLost(seed: UInt64) async throws {
        try await withProxiedLanes { fixture, proxy in
            let generator = NIOLockedValueBox(SeededGenerator(seed: seed))
            let lost = NIOLockedValueBox(0)
            proxy.onCommit {
                let fault: PostgresProxy.Fault =
                    switch generator.withLockedValue({ Int.random(in: 0..<4, using: &$0) }) {
                    case 0: .cutBeforeCommit
                    case 1: .loseAnswer
                    default: .none
                    }
                if case .loseAnswer = fault { lost.withLockedValue { $0 += 1 } }
                return fault
            }
            for round in 1...30 {
                for slot: UInt16 in [2, 3, 4, 5] {
                    for _ in 0..<10 { try await fixture.write(slot) }
                }
                await fixture.outcomes.wait(for: round * 40 - 30)
            }
            try await fixture.checkAll()
            #expect(Set(fixture.outcomes.results.values) == [.committed], "seed \(seed)")
            #expect(lost.withLockedValue { $0 } > 0)
        }
    }

    @Test func aStallBetweenFenceAndCommitLosesNothing() async throws {
        try await withProxiedLanes { fixture, proxy in
            let stalls = NIOLockedValueBox(0)
            proxy.onCommit {
                stalls.withLockedValue { stalls in
                    stalls += 1
                    return stalls <= 2 ? .stall(.seconds(3)) : .none
                }
            }
            for _ in 0..<50 {
                for slot: UInt16 in [2, 3, 4, 5] { try await fixture.write(slot) }
            }
            try await fixture.checkAll()
            #expect(Set(fixture.outcomes.results.values) == [.committed])
        }
    }

    @Test func anIdleLaneNoticesItsDeathAndConnectsAgain() async throws {
        try await withLanes { fixture in
            let name = fixture.identity.applicationName("lane-")
            try await fixture.write(2)
            try await fixture.write(3)
            await fixture.outcomes.wait(for: 2)
            let before = try await Self.backends(fixture.database, named: name)
            #expect(before.count == 2)
            try await LaneFixture.endBackends(fixture.database, named: name)
            var after: Set<Int64> = []
            while after.count < 2 || !after.isDisjoint(with: before) {
                after = try await Self.backends(fixture.database, named: name)
                try await Task.sleep(for: .milliseconds(10))
            }
            try await fixture.write(2)
            try await fixture.checkAll([2, 3])
        }
    }

    static func backends(_ database: Database, named name: String) async throws -> Set<Int64> {
        let query = PreparedQuery(
            "test.backends",
            """
            SELECT pid::bigint AS pid FROM pg_stat_activity
            WHERE datname = current_database() AND starts_with(application_name, $1)
            """, [.text])
        return Set(try await database.run(Statement(query, [.text(name)])).map { try $0.int("pid") })
    }

    @Test func laneConnectionsCarryTheirTimeouts() async throws {
        try await withLanes { fixture in
            // A control change tells what its own connection is set to.
            let table = PreparedQuery(
                "test.settings", "CREATE TABLE settings (name text, value text)", repeatable: false)
            try await fixture.database.run(Statement(table))
            let note = PreparedQuery(
                "test.note",
                """
                INSERT INTO settings SELECT name, setting FROM pg_settings
                WHERE name IN ('lock_timeout', 'idle_in_transaction_session_timeout', 'application_name')
                """)
            try fixture.lanes.append(
                Mutation(
                    id: MutationID(1), slot: LaneFixture.slot(2), epoch: 1, origin: 0,
                    change: .statements([Statement(note)])))
            await fixture.outcomes.wait(for: 1)
            let read = PreparedQuery("test.read", "SELECT name, value FROM settings ORDER BY name")
            let settings = try await fixture.database.run(Statement(read)).map { try $0.text("value") }
            #expect(settings == ["flux/1/1/lane-0", "3000", "5000"])
        }
    }

    // MARK: Postgres goes away

    @Test func postgresIsKilledAndStartedAgain() async throws {
        let server = try await TestPostgres.shared.ownServer()
        let test = TestDatabase(url: server.url)
        let setup = try test.open()
        try await Migrator().migrate(setup, logger: TestDatabase.silence)
        await setup.close()
        try await withLanes(on: test) { fixture in
            let writing = Task {
                var count = 0
                while !Task.isCancelled {
                    for slot: UInt16 in [2, 3, 4, 5] { try await fixture.write(slot) }
                    count += 1
                    try? await Task.sleep(for: .milliseconds(2))
                }
                return count
            }
            for round in 1...3 {
                await fixture.outcomes.wait(for: round * 200)
                try await server.crash()
                // What is written while it is away waits.
                let before = fixture.writtenCount
                while fixture.writtenCount < before + 100 { try await Task.sleep(for: .milliseconds(5)) }
                await fixture.outcomes.wait(for: before + 1)
            }
            writing.cancel()
            let count = try await writing.value
            try await fixture.checkAll()
            #expect(Set(fixture.outcomes.results.values) == [.committed])
            #expect(try await fixture.rows(5).count == count)
        }
        try await server.stop(.immediate)
    }

    @Test func whatWaitsTooLongWithoutPostgresIsWithdrawnAndLeavesAVoid() async throws {
        var limits = LaneLimits()
        // Long enough that a write on a busy machine finds its lane connected within it.
        limits.withdrawal = .seconds(3)
        try await withProxiedLanes(limits: limits, lanes: 1) { fixture, proxy in
            try await fixture.write(2)
            await fixture.outcomes.wait(for: 1)
            proxy.cutAll(refusing: true)
            // Only then does the lane know; what it sent before has an unknown fate until Postgres is back.
            while proxy.refusals == 0 { try await Task.sleep(for: .milliseconds(5)) }
            for _ in 0..<5 { try await fixture.write(2) }
            await fixture.outcomes.wait(for: 6)
            #expect(fixture.outcomes.results.values.count { $0 == .withdrawn } == 5)
            proxy.cutAll(refusing: false)
            while try await fixture.rows(2).count < 6 { try await Task.sleep(for: .milliseconds(10)) }
            try await fixture.write(2)
            try await fixture.checkAll([2])
            #expect(try await fixture.rows(2) == [1, -2, -3, -4, -5, -6, 7])
        }
    }

    /// The lane's thread waits for an answer; what came later is withdrawn all the same.
    @Test func aStalledCommitDoesNotKeepWhatWaitsBehindItFromBeingWithdrawn() async throws {
        var limits = LaneLimits()
        // Long enough that a write on a busy machine finds its lane connected within it.
        limits.withdrawal = .seconds(3)
        try await withProxiedLanes(limits: limits) { fixture, proxy in
            try await fixture.write(2)
            await fixture.outcomes.wait(for: 1)
            let stalled = Signal()
            proxy.onCommit {
                stalled.set()
                return .stall(.seconds(9))
            }
            let held = try await fixture.write(2)
            await stalled.wait()
            proxy.onCommit { .none }
            let later = try await fixture.write(2)
            await fixture.outcomes.wait(for: 2)
            // Told before the one under way, which is held until its fate is known.
            #expect(fixture.outcomes.results[later] == .withdrawn && fixture.outcomes.results[held] == nil)
            try await fixture.checkAll([2])
            #expect(fixture.outcomes.results[held] == .committed)
        }
    }

    // MARK: Refusals

    @Test func whatPostgresRefusesBecomesAVoidAndBlocksNothing() async throws {
        try await withLanes { fixture in
            var bad: Set<MutationID> = []
            for round in 0..<60 {
                for slot: UInt16 in [2, 3, 4, 5] {
                    switch (round, slot) {
                    case (20, 2), (21, 2), (40, 3): bad.insert(try await fixture.write(slot, content: "a\0b"))
                    // Does not fit the column.
                    case (30, 4): bad.insert(try await fixture.write(slot, flags: 1 << 40))
                    default: try await fixture.write(slot)
                    }
                }
            }
            await fixture.outcomes.wait(for: fixture.writtenCount)
            for (id, result) in fixture.outcomes.results {
                switch result {
                case .committed: #expect(!bad.contains(id))
                case .refused: #expect(bad.contains(id))
                default: Issue.record("\(id): \(result)")
                }
            }
            // The voids may still be on their way: a later write stands behind them.
            for slot: UInt16 in [2, 3, 4, 5] { try await fixture.write(slot) }
            try await fixture.checkAll()
            let voids = try await fixture.rows(2).filter { $0 < 0 }
            #expect(voids == [-21, -22])
            #expect(try await fixture.rows(3).filter { $0 < 0 } == [-41])
            #expect(try await fixture.rows(4).filter { $0 < 0 } == [-31])
        }
    }
}

/// Something that has happened, for others to wait for.
final class Signal: Sendable {
    private let state = NIOLockedValueBox((isSet: false, waiters: [CheckedContinuation<Void, Never>]()))

    func set() {
        let waiters = state.withLockedValue { state in
            state.isSet = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isSet = state.withLockedValue { state in
                if !state.isSet { state.waiters.append(continuation) }
                return state.isSet
            }
            if isSet { continuation.resume() }
        }
    }
}
