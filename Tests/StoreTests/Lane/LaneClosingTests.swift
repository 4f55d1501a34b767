import FluxCore
import Testing

@testable import FluxStore

/// A lane that is closed.
struct LaneClosingTests {
    @Test func closingBringsEverythingToItsEnd() throws {
        let lane = LaneDriver(owning: [1: 1])
        try lane.counter(1, key: 1)
        _ = lane.next()
        try lane.create(2)
        try lane.counter(3, key: 1)
        lane.close()
        #expect(refusal { try lane.create(4) } == .closed)
        lane.committed()
        // Values that are not due yet do not hold the end up.
        #expect(lane.next() == .commit(["m2", "c3"]))
        lane.committed()
        #expect(lane.next() == .finish)
        #expect(lane.outcomes().map(\.id.rawValue) == [1, 2, 3])
    }

    @Test func closingWaitsForABatchOfUnknownFate() throws {
        let lane = LaneDriver(owning: [1: 1], generation: 2, batch: 0)
        try lane.create(1)
        _ = lane.next()
        lane.close()
        lane.disconnected()
        lane.now = .seconds(100)
        #expect(lane.next() == .connect)
        lane.disconnected()
        _ = try lane.pause()
        lane.now = .seconds(110)
        lane.reconnect([1: 1], generation: 3, batch: 1)
        #expect(lane.outcomes() == told(1, result: .committed))
        #expect(lane.next() == .finish)
    }

    @Test func closingWithoutPostgresEndsWhenAllIsWithdrawn() throws {
        let lane = LaneDriver()
        try lane.statement(1)
        _ = lane.next()
        lane.disconnected()
        lane.close()
        _ = try lane.pause()
        lane.now = .seconds(30)
        #expect(lane.next() == .finish)
        #expect(lane.outcomes() == told(1, result: .withdrawn))
    }

    /// The void entry of a withdrawn number is not waited for: whoever owns the channel next gives the number again.
    @Test func closingWithoutPostgresGivesVoidsUp() throws {
        let lane = LaneDriver()
        try lane.create(1)
        _ = lane.next()
        lane.disconnected()
        lane.close()
        lane.now = .seconds(30)
        #expect(lane.next() == .finish)
        #expect(lane.outcomes() == told(1, result: .withdrawn))
        #expect(lane.rowCount == 0 && lane.byteCount == 0)
    }
}
