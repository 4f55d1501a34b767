import FluxCore
import FluxStore
import FluxTestSupport
import Testing

@testable import FluxRealtime

/// Heartbeats of a node whose clock may be wrong, over a real Postgres.
@Suite struct ClusterHeartbeatTests {
    @Test func aClockThatIsOffIsFoundBeforeTheFirstBeatAndReservesNothing() async throws {
        let database = try await TestPostgres.shared.database().open(connections: 1)
        let store = LeaseStore(database)
        let registration = try await store.register(node: 1, name: "one", lanes: 1, at: .now())
        var heartbeat = ClusterHeartbeat(node: registration.identity, store: store, server: ServerCheck(database))
        #expect(try await heartbeat.compareClocks().isOff == false)
        heartbeat.clock = { Timestamp(microseconds: Timestamp.now().microseconds + 600_000_000) }
        let comparison = try await heartbeat.compareClocks()
        #expect(comparison.isOff)
        // The first beats, which do not compare, and one that does.
        for comparing in [false, true] {
            let outcome = await heartbeat.once(comparingClocks: comparing, isClockOff: comparison.isOff)
            guard case .answered(let answer) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(answer.reserved == registration.idHighWaterMilliseconds)
            #expect(answer.clock?.isOff == (comparing ? true : nil))
        }
        // Set right, it reserves with the beat that finds out.
        heartbeat.clock = { Timestamp(microseconds: Timestamp.now().microseconds + 100_000) }
        if case .answered(let answer) = await heartbeat.once(comparingClocks: true, isClockOff: true) {
            #expect(answer.clock?.isOff == false)
            #expect(answer.reserved > registration.idHighWaterMilliseconds)
        } else {
            Issue.record("no answer")
        }
        await database.close()
    }
}
