import FluxCore
import Testing

@testable import FluxStore

/// The write-behind pipeline, driven by plain calls: batches, the fence, and answers that are lost.
struct LaneTests {
    // MARK: Batches

    @Test func whatGathersWhileABatchIsUnderWayIsTheNextBatch() throws {
        let lane = LaneDriver(owning: [1: 1])
        #expect(lane.next() == .wait(until: nil))
        #expect(try lane.create(1))
        #expect(lane.next() == .commit(["m1"]))
        // The lane is at work: nobody has to wake it.
        #expect(try !lane.create(2))
        #expect(try !lane.create(3))
        lane.committed()
        #expect(lane.outcomes() == told(1, result: .committed))
        #expect(lane.next() == .commit(["m2", "m3"]))
        lane.committed()
        #expect(lane.outcomes() == told(2, 3, result: .committed))
        #expect(lane.next() == .wait(until: nil))
        #expect(lane.rowCount == 0 && lane.byteCount == 0)
    }

    @Test func oneBatchAtATimeNumberedWithoutGaps() throws {
        let lane = LaneDriver(owning: [1: 1], generation: 7, batch: 40)
        try lane.create(1)
        #expect(lane.next() == .commit(["m1"]))
        try lane.create(2)
        // Asked again it means the same batch.
        #expect(lane.next() == .commit(["m1"]))
        #expect(lane.batch?.number == 41 && lane.batch?.generation == 7)
        lane.committed()
        #expect(lane.next() == .commit(["m2"]))
        #expect(lane.batch?.number == 42 && lane.batch?.generation == 7)
    }

    @Test func aBatchHasBounds() throws {
        var limits = LaneLimits()
        limits.batchRows = 3
        let rows = LaneDriver(owning: [1: 1], limits: limits)
        for id in 1...5 { try rows.create(UInt64(id)) }
        #expect(rows.next() == .commit(["m1", "m2", "m3"]))
        rows.committed()
        #expect(rows.next() == .commit(["m4", "m5"]))

        limits = LaneLimits()
        limits.batchBytes = 4000
        let bytes = LaneDriver(owning: [1: 1], limits: limits)
        for id in 1...3 { try bytes.create(UInt64(id), content: String(repeating: "x", count: 2000)) }
        #expect(bytes.next() == .commit(["m1", "m2"]))
    }

    @Test func nothingIsCommittedBeforeTheLeasesWereRead() throws {
        let lane = LaneDriver()
        #expect(try !lane.create(1))
        #expect(lane.next() == .connect)
        lane.connected()
        #expect(lane.next() == .resolve)
        lane.resolved([1: 1], generation: 1, batch: 0)
        #expect(lane.next() == .commit(["m1"]))
    }

    // MARK: The fence

    @Test func theFenceRefusedBecauseTheBatchIsIn() throws {
        let lane = LaneDriver(owning: [1: 1], generation: 2, batch: 5)
        try lane.create(1)
        #expect(lane.next() == .commit(["m1"]))
        lane.fenced()
        #expect(lane.next() == .resolve)
        lane.resolved([1: 1], generation: 3, batch: 6)
        #expect(lane.outcomes() == told(1, result: .committed))
        try lane.create(2)
        #expect(lane.next() == .commit(["m2"]))
        #expect(lane.batch?.number == 7 && lane.batch?.generation == 3)
        #expect(lane.statistics.fenceRefusals == 1)
    }

    @Test func theFenceRefusedBecauseALeaseWasLost() throws {
        let lane = LaneDriver(owning: [1: 1, 2: 1], generation: 2, batch: 5)
        try lane.create(1, slot: 1)
        try lane.create(2, slot: 2)
        #expect(lane.next() == .commit(["m1", "m2"]))
        try lane.create(3, slot: 1)
        lane.fenced()
        #expect(lane.next() == .resolve)
        // Another node has taken slot 1.
        lane.resolved([2: 1], generation: 4, batch: 5)
        #expect(lane.outcomes() == told(1, 3, result: .lost))
        #expect(lane.next() == .commit(["m2"]))
        #expect(lane.batch?.number == 6 && lane.batch?.generation == 4)
        // What the old owner still decides is lost at once, without a further resolution.
        try lane.create(4, slot: 1)
        lane.committed()
        #expect(lane.outcomes() == told(2, result: .committed))
        #expect(lane.next() == .wait(until: nil))
        #expect(lane.outcomes() == told(4, result: .lost))
        #expect(lane.rowCount == 0 && lane.byteCount == 0)
    }

    @Test func theFenceRefusedThoughNothingOfOursWasLost() throws {
        let lane = LaneDriver(owning: [1: 1, 2: 1], generation: 2, batch: 5)
        try lane.create(1)
        _ = lane.next()
        lane.fenced()
        _ = lane.next()
        lane.resolved([1: 1], generation: 9, batch: 5)
        #expect(lane.outcomes().isEmpty)
        #expect(lane.next() == .commit(["m1"]))
        #expect(lane.batch?.number == 6 && lane.batch?.generation == 9)
    }

    // MARK: Lost answers

    @Test(arguments: [true, false]) func theAnswerToACommitIsLost(isIn: Bool) throws {
        let lane = LaneDriver(owning: [1: 1], generation: 2, batch: 5)
        try lane.create(1)
        try lane.create(2)
        #expect(lane.next() == .commit(["m1", "m2"]))
        try lane.create(3)
        lane.disconnected()
        #expect(lane.outcomes().isEmpty)
        // An attempt to connect fails, an attempt to resolve breaks, one is refused for the moment: the fate stays open.
        lane.now += .seconds(3)
        #expect(lane.next() == .connect)
        lane.disconnected()
        let until = try lane.pause()
        lane.now = until
        #expect(lane.next() == .connect)
        lane.connected()
        #expect(lane.next() == .resolve)
        lane.disconnected()
        lane.now += .seconds(3)
        #expect(lane.next() == .connect)
        lane.connected()
        #expect(lane.next() == .resolve)
        lane.failed()
        lane.now += .seconds(3)
        #expect(lane.next() == .resolve)
        #expect(lane.outcomes().isEmpty)
        lane.resolved([1: 1], generation: 4, batch: isIn ? 6 : 5)
        #expect(lane.outcomes() == (isIn ? told(1, 2, result: .committed) : []))
        if !isIn {
            // What was under way goes first, alone, in its order.
            #expect(lane.next() == .commit(["m1", "m2"]))
            #expect(lane.batch?.number == 6 && lane.batch?.generation == 4)
            lane.committed()
            #expect(lane.outcomes() == told(1, 2, result: .committed))
        }
        #expect(lane.next() == .commit(["m3"]))
        #expect(lane.batch?.number == 7)
    }

    @Test func aPassingFailureIsTriedAgainAfterAPause() throws {
        let lane = LaneDriver(owning: [1: 1])
        try lane.create(1)
        #expect(lane.next() == .commit(["m1"]))
        lane.failed()
        let until = try lane.pause()
        #expect(until > lane.now)
        #expect(try !lane.create(2))
        lane.now = until
        #expect(lane.next() == .commit(["m1"]))
        lane.committed()
        #expect(lane.next() == .commit(["m2"]))
    }
}
