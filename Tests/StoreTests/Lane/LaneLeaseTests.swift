import FluxCore
import Testing

@testable import FluxStore

/// A lane whose node gets and loses slots.
struct LaneLeaseTests {
    @Test func anUnknownNewerEpochMakesItResolve() throws {
        let lane = LaneDriver(owning: [1: 1], generation: 2, batch: 0)
        try lane.create(1)
        try lane.create(2, slot: 2, epoch: 8)
        try lane.create(3)
        #expect(lane.next() == .commit(["m1"]))
        lane.committed()
        #expect(lane.next() == .resolve)
        lane.resolved([1: 1, 2: 8], generation: 3, batch: 1)
        #expect(lane.next() == .commit(["m2", "m3"]))
    }

    @Test func anEpochThatIsNotInTheLeasesIsLostForGood() throws {
        let lane = LaneDriver(owning: [1: 1], generation: 2, batch: 0)
        try lane.create(1, epoch: 2)
        #expect(lane.next() == .resolve)
        lane.resolved([1: 3], generation: 3, batch: 0)
        #expect(lane.outcomes() == told(1, result: .lost))
        try lane.create(2, epoch: 1)
        try lane.create(3, epoch: 2)
        try lane.create(4, epoch: 3)
        #expect(lane.next() == .commit(["m4"]))
        #expect(lane.outcomes() == told(2, 3, result: .lost))
    }

    /// A lease is acquired, and a mutation decided under it, after a resolution has read the leases and before the lane
    /// has heard of it.
    @Test func aLeaseAcquiredWhileResolvingIsNotTakenForLost() throws {
        let lane = LaneDriver(owning: [1: 1], generation: 2, batch: 0)
        try lane.create(1, slot: 2, epoch: 4)
        #expect(lane.next() == .resolve)
        try lane.create(2, slot: 3, epoch: 6)
        lane.resolved([1: 1], generation: 3, batch: 0)
        #expect(lane.outcomes() == told(1, result: .lost))
        #expect(lane.next() == .resolve)
        lane.resolved([1: 1, 3: 6], generation: 4, batch: 0)
        #expect(lane.next() == .commit(["m2"]))
        lane.committed()
        #expect(lane.outcomes() == told(2, result: .committed))
    }

    @Test func aNewerIncarnationEndsTheLane() throws {
        let lane = LaneDriver(owning: [1: 1])
        try lane.create(1)
        _ = lane.next()
        try lane.create(2)
        try lane.counter(3, key: 1)
        lane.fenced()
        #expect(lane.next() == .resolve)
        lane.superseded()
        #expect(lane.outcomes() == told(1, 2, 3, result: .lost))
        #expect(refusal { try lane.create(4) } == .fenced)
        lane.disconnected()
        #expect(lane.next() == .wait(until: nil))
        lane.close()
        #expect(lane.next() == .finish)
        #expect(lane.rowCount == 0 && lane.byteCount == 0)
    }
}
