import FluxCore
import Testing

@testable import FluxStore

/// Values of which the latest wins.
struct LaneCounterTests {
    @Test func theLatestValueOfAKeyWinsAndIsWrittenOnceASecond() throws {
        let lane = LaneDriver(owning: [1: 1])
        try lane.counter(1, key: 7)
        try lane.counter(2, key: 7)
        try lane.counter(3, key: 8)
        #expect(lane.next() == .commit(["c2", "c3"]))
        try lane.counter(4, key: 7)
        lane.committed()
        #expect(Set(lane.outcomes().map(\.id.rawValue)) == [1, 2, 3])
        #expect(lane.next() == .wait(until: .seconds(1)))
        lane.now = .milliseconds(500)
        // The shell sleeps until the value is due; a newer one makes no difference to that.
        try lane.counter(5, key: 7)
        #expect(lane.next() == .wait(until: .seconds(1)))
        lane.now = .seconds(1)
        #expect(lane.next() == .commit(["c5"]))
        lane.committed()
        #expect(Set(lane.outcomes().map(\.id.rawValue)) == [4, 5])
        #expect(lane.rowCount == 0 && lane.byteCount == 0)
    }

    @Test func theValuesOfASlotThatIsHandedOverDoNotWaitForTheirTime() throws {
        let lane = LaneDriver(owning: [1: 1, 3: 1])
        try lane.counter(1, key: 7)
        try lane.counter(2, key: 8, slot: 3)
        _ = lane.next()
        lane.committed()
        try lane.counter(3, key: 7)
        try lane.counter(4, key: 8, slot: 3)
        #expect(lane.next() == .wait(until: .seconds(1)))
        #expect(lane.hasten(1))
        #expect(lane.next() == .commit(["c3"]))
        lane.committed()
        // Nothing of the slot waits any more; the other one's value comes at its time.
        #expect(!lane.hasten(1))
        #expect(lane.next() == .wait(until: .seconds(1)))
        lane.now = .seconds(1)
        #expect(lane.next() == .commit(["c4"]))
        lane.committed()
        #expect(lane.rowCount == 0 && lane.byteCount == 0)
    }

    @Test func aValueThatDidNotGetInGivesWayToANewerOne() throws {
        let lane = LaneDriver(owning: [1: 1], generation: 2, batch: 0)
        try lane.counter(1, key: 7)
        try lane.create(2)
        #expect(lane.next() == .commit(["m2", "c1"]))
        try lane.counter(3, key: 7)
        lane.disconnected()
        lane.now = .seconds(3)
        lane.reconnect([1: 1], generation: 3, batch: 0)
        #expect(lane.next() == .commit(["m2"]))
        lane.committed()
        #expect(lane.next() == .commit(["c3"]))
        lane.committed()
        #expect(lane.outcomes().map(\.id.rawValue).sorted() == [1, 2, 3])
        #expect(lane.rowCount == 0 && lane.byteCount == 0)
    }

    @Test func valuesAreWrittenUnderFullLoadToo() throws {
        var limits = LaneLimits()
        limits.batchRows = 8
        let lane = LaneDriver(owning: [1: 1], limits: limits)
        for id in 1...100 { try lane.create(UInt64(id)) }
        for id in 101...110 { try lane.counter(UInt64(id), key: UInt64(id)) }
        let names = try lane.commit()
        #expect(names.count { $0.hasPrefix("c") } == 2 && names.count == 8)
    }

    @Test func aValueOfAnUnknownEpochTakesNoOtherWithIt() throws {
        let lane = LaneDriver(owning: [1: 1], generation: 2, batch: 0)
        try lane.counter(1, key: 1, slot: 2, epoch: 5)
        try lane.counter(2, key: 2)
        try lane.counter(3, key: 3)
        #expect(lane.next() == .commit(["c2", "c3"]))
        lane.committed()
        // Load does not put the resolution off.
        try lane.create(4)
        #expect(lane.next() == .resolve)
        lane.resolved([1: 1, 2: 5], generation: 3, batch: 1)
        #expect(lane.next() == .commit(["m4", "c1"]))
        lane.committed()
        #expect(lane.outcomes().map(\.id.rawValue).sorted() == [1, 2, 3, 4])
        #expect(lane.rowCount == 0 && lane.byteCount == 0)
    }
}
