import FluxCore
import FluxTestSupport
import NIOConcurrencyHelpers
import Testing

@testable import FluxStore

/// What became of mutations, for tests to wait for. Records an issue when one gets a second outcome.
final class OutcomeLog: Sendable {
    private struct State {
        var results: [MutationID: LaneOutcome.Result] = [:]
        var waiters: [(condition: @Sendable (Int) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = NIOLockedValueBox(State())

    func took(_ outcomes: [LaneOutcome]) {
        let ready = state.withLockedValue { state in
            for outcome in outcomes where state.results.updateValue(outcome.result, forKey: outcome.id) != nil {
                Issue.record("mutation \(outcome.id.rawValue) got a second outcome, \(outcome.result)")
            }
            let count = state.results.count
            let ready = state.waiters.filter { $0.condition(count) }
            state.waiters.removeAll { $0.condition(count) }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    var results: [MutationID: LaneOutcome.Result] { state.withLockedValue { $0.results } }

    /// Returns when at least `count` mutations have their outcome.
    func wait(for count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLockedValue { state in
                if state.results.count < count { state.waiters.append(({ $0 >= count }, continuation)) }
                return state.results.count >= count
            }
            if isThere { continuation.resume() }
        }
    }
}

/// A node with some lanes over a database, and the messages it writes: one channel for each slot, dense seqs.
final class LaneFixture: Sendable {
    let database: Database
    let leases: LeaseStore
    let identity: NodeIdentity
    let outcomes = OutcomeLog()
    let lanes: LanePool

    private struct Written: Sendable {
        var next: [Slot: SequenceNumber] = [:]
        var epochs: [Slot: Epoch] = [:]
        var mutations: [MutationID: (slot: Slot, seq: SequenceNumber)] = [:]
        var count: UInt64 = 0
    }
    private let written = NIOLockedValueBox(Written())

    /// `url`: how the lanes reach the database, when not as the fixture does.
    init(
        _ test: TestDatabase, lanesOver url: String? = nil, slots: [UInt16] = [2, 3, 4, 5],
        limits: LaneLimits = LaneLimits(), lanes count: Int = 2
    ) async throws {
        database = try test.open(connections: 3)
        leases = LeaseStore(database)
        identity = try await leases.register(node: 1, name: "one", lanes: count, at: .now()).identity
        let outcomes = outcomes
        lanes = try LanePool(
            configuration: DatabaseConfiguration(url: url ?? test.url), identity: identity, lanes: count,
            limits: limits,
            logger: TestDatabase.silence, onOutcomes: { outcomes.took($0) })
        let epochs = try await leases.acquire(slots.compactMap(Slot.init(rawValue:)), for: identity)
        written.withLockedValue { $0.epochs = epochs }
    }

    static func slot(_ number: UInt16) -> Slot { Slot(rawValue: number)! }
    static func channel(_ slot: Slot) -> ChannelID { Fixture.id(1_000_000 + UInt64(slot.rawValue)) }

    /// Writes the channel's next message. Waits while the lane is at a bound.
    @discardableResult
    func write(_ number: UInt16, content: String = "hello", flags: Int = 0) async throws -> MutationID {
        let slot = Self.slot(number)
        let (id, seq, epoch) = written.withLockedValue { written in
            written.count += 1
            let seq = written.next[slot, default: 0] + 1
            written.next[slot] = seq
            let id = MutationID(written.count)
            written.mutations[id] = (slot, seq)
            return (id, seq, written.epochs[slot] ?? 0)
        }
        var message = Fixture.message(
            UInt64(slot.rawValue) << 24 + UInt64(seq), channelID: Self.channel(slot), seq: seq, epoch: epoch,
            content: content)
        message.flags = flags
        let mutation = Mutation(
            id: id, slot: slot, epoch: epoch, origin: 0, change: .createMessage(MessageRow(message)))
        try await lanes.appendWaiting(mutation)
        return id
    }

    var writtenCount: Int { written.withLockedValue { Int($0.count) } }

    /// Seqs and epochs of a slot's channel as they are in Postgres, voids as negative numbers.
    func rows(_ number: UInt16) async throws -> [SequenceNumber] {
        let rows = try await database.run(Statement(Self.stored, [.id(Self.channel(Self.slot(number)))]))
        return try rows.map { try $0.bool("is_void") ? -$0.int("seq") : $0.int("seq") }
    }

    private static let stored = PreparedQuery(
        "test.stored",
        """
        SELECT seq, false AS is_void FROM messages WHERE channel_id = $1
        UNION ALL SELECT seq, true FROM channel_log WHERE channel_id = $1 AND kind = 0
        ORDER BY seq
        """, [.int8])

    /// Waits until everything written has its outcome, and checks that what was told is what is stored, each seq once and
    /// none left out.
    func checkAll(_ slots: [UInt16] = [2, 3, 4, 5], sourceLocation: SourceLocation = #_sourceLocation) async throws {
        await outcomes.wait(for: writtenCount)
        let results = outcomes.results
        for number in slots {
            let slot = Self.slot(number)
            let stored = try await rows(number)
            let told = written.withLockedValue { written in
                written.mutations.filter { $0.value.slot == slot && results[$0.key] == .committed }.map(\.value.seq)
            }
            #expect(stored.filter { $0 > 0 } == told.sorted(), sourceLocation: sourceLocation)
            #expect(stored.map(abs) == stored.indices.map { Int64($0) + 1 }, sourceLocation: sourceLocation)
        }
    }

    func close() async {
        await lanes.drain()
        await database.close()
    }

    /// Ends the server's side of this database's connections of one kind, `lane-` or `query`.
    static func endBackends(_ database: Database, named name: String) async throws {
        try await database.run(Statement(terminate, [.text(name)]))
    }

    private static let terminate = PreparedQuery(
        "test.terminate",
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND starts_with(application_name, $1)
        """, [.text])
}

extension LanePool {
    /// Appends, and waits while the lane is at a bound.
    func appendWaiting(_ mutation: Mutation) async throws {
        while try isFull(for: mutation) { try await Task.sleep(for: .milliseconds(5)) }
    }

    private func isFull(for mutation: Mutation) throws(StoreError) -> Bool {
        do throws(StoreError) {
            try append(mutation)
            return false
        } catch .overloaded {
            return true
        }
    }
}

/// Runs `body` with a node's lanes on a database of their own.
func withLanes(
    over url: String? = nil, on test: TestDatabase? = nil, limits: LaneLimits = LaneLimits(), lanes: Int = 2,
    _ body: (LaneFixture) async throws -> Void
) async throws {
    var database = test
    if database == nil { database = try await TestPostgres.shared.database() }
    let fixture = try await LaneFixture(try #require(database), lanesOver: url, limits: limits, lanes: lanes)
    do {
        try await body(fixture)
    } catch {
        await fixture.close()
        throw error
    }
    await fixture.close()
}

/// Runs `body` with a node whose lanes reach Postgres through a proxy.
func withProxiedLanes(
    limits: LaneLimits = LaneLimits(), lanes: Int = 2, _ body: (LaneFixture, PostgresProxy) async throws -> Void
) async throws {
    let database = try await TestPostgres.shared.database()
    let proxy = try PostgresProxy(to: database.url)
    defer { proxy.close() }
    try await withLanes(over: proxy.url, on: database, limits: limits, lanes: lanes) { try await body($0, proxy) }
}
