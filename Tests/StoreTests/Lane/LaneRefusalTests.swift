import FluxCore
import Testing

@testable import FluxStore

/// What Postgres refuses, and what is withdrawn because it has waited too long.
struct LaneRefusalTests {
    // MARK: Refusals

    @Test func theOneAtFaultIsFoundAndItsNumberBecomesVoid() throws {
        let lane = LaneDriver(owning: [1: 1])
        for id in 1...8 { try lane.create(UInt64(id)) }
        var committed: [String] = []
        var batches = 0
        while case .commit(let names) = lane.next() {
            batches += 1
            if names.contains("m6") {
                lane.refused()
            } else {
                committed += names
                lane.committed()
            }
        }
        // In the order of admission, the void in the place of what it stands for.
        #expect(committed == ["m1", "m2", "m3", "m4", "m5", "v6", "m7", "m8"])
        #expect(batches <= 9)
        let outcomes = lane.outcomes()
        #expect(outcomes.count == 8)
        #expect(outcomes.filter { $0.result != .committed } == told(6, result: .refused(LaneDriver.refusal)))
        #expect(lane.statistics.voids == 1)
        #expect(lane.rowCount == 0 && lane.byteCount == 0)
    }

    @Test func suspectsShortenTheSearch() throws {
        let lane = LaneDriver(owning: [1: 1])
        for id in 1...100 { try lane.create(UInt64(id)) }
        #expect(lane.next() != .wait(until: nil))
        lane.refused([41])
        let names = try lane.commit()
        #expect(names.count == 100 && names[41] == "v42")
        #expect(lane.outcomes() == told(42, result: .refused(LaneDriver.refusal)))
    }

    @Test func everyOneAtFault() throws {
        let lane = LaneDriver(owning: [1: 1])
        for id in 1...33 { try lane.create(UInt64(id)) }
        var voids: [String] = []
        while case .commit(let names) = lane.next() {
            if names.contains(where: { $0.hasPrefix("m") }) {
                // A server that names senseless positions must not mislead the search for ever.
                lane.refused([-1, 1000])
            } else {
                voids += names
                lane.committed()
            }
        }
        #expect(voids == (1...33).map { "v\($0)" })
        #expect(lane.outcomes().map(\.id.rawValue) == Array(1...33))
        #expect(lane.rowCount == 0 && lane.byteCount == 0)
    }

    @Test func whatHasNoNumberLeavesNoVoidAndARefusedVoidIsGivenUp() throws {
        let lane = LaneDriver(owning: [1: 1])
        try lane.statement(1)
        _ = lane.next()
        lane.refused()
        #expect(lane.outcomes() == told(1, result: .refused(LaneDriver.refusal)))
        #expect(lane.next() == .wait(until: nil))

        try lane.create(2)
        _ = lane.next()
        lane.refused()
        #expect(lane.next() == .commit(["v2"]))
        lane.refused()
        #expect(lane.next() == .wait(until: nil))
        #expect(lane.outcomes() == told(2, result: .refused(LaneDriver.refusal)))
        #expect(lane.rowCount == 0 && lane.byteCount == 0)
    }

    // MARK: Withdrawal

    @Test func whatHasWaitedTooLongIsWithdrawn() throws {
        let lane = LaneDriver()
        try lane.create(1)
        try lane.statement(2)
        lane.now = .seconds(20)
        try lane.create(3)
        _ = lane.next()
        lane.disconnected()
        lane.now = .seconds(29.999)
        lane.withdrawOverdue()
        #expect(lane.outcomes().isEmpty)
        // The shell is told to come back in time.
        lane.now = .seconds(30)
        lane.withdrawOverdue()
        #expect(lane.outcomes() == told(1, 2, result: .withdrawn))
        lane.reconnect([1: 1], generation: 2, batch: 0)
        #expect(lane.next() == .commit(["v1", "m3"]))
        lane.committed()
        #expect(lane.outcomes() == told(3, result: .committed))
        #expect(lane.rowCount == 0 && lane.byteCount == 0)
    }

    @Test func theShellIsAskedToComeBackForAWithdrawal() throws {
        var limits = LaneLimits()
        limits.withdrawal = .milliseconds(10)
        let lane = LaneDriver(limits)
        #expect(lane.next() == .connect)
        lane.disconnected()
        try lane.create(1)
        #expect(lane.next() == .wait(until: .milliseconds(10)))
    }

    @Test(arguments: [true, false]) func aBatchUnderWayIsHeldUntilItsFateIsRead(isIn: Bool) throws {
        let lane = LaneDriver(owning: [1: 1], generation: 2, batch: 5)
        try lane.create(1)
        _ = lane.next()
        try lane.create(2)
        lane.now = .seconds(60)
        lane.withdrawOverdue()
        #expect(lane.outcomes() == told(2, result: .withdrawn))
        lane.disconnected()
        lane.now = .seconds(90)
        #expect(lane.next() == .connect)
        lane.connected()
        #expect(lane.next() == .resolve)
        #expect(lane.outcomes().isEmpty)
        lane.resolved([1: 1], generation: 3, batch: isIn ? 6 : 5)
        #expect(lane.next() == .commit(isIn ? ["v2"] : ["v1"]))
        #expect(lane.outcomes() == told(1, result: isIn ? .committed : .withdrawn))
        lane.committed()
        #expect(lane.next() == (isIn ? .wait(until: nil) : .commit(["v2"])))
    }

    @Test func numbersGoInInTheirOrderThoughTheLaterOnesWereWithdrawnFirst() throws {
        let lane = LaneDriver(owning: [1: 1])
        try lane.create(1)
        try lane.create(2)
        #expect(lane.next() == .commit(["m1", "m2"]))
        try lane.create(3)
        lane.now = .seconds(31)
        lane.withdrawOverdue()
        #expect(lane.outcomes() == told(3, result: .withdrawn))
        #expect(refusal { try lane.create(4) } == .overloaded)
        lane.failed()
        lane.now = .seconds(40)
        // 1 and 2 have waited too long as well by now; their numbers still come before the one of 3.
        var order: [String] = []
        while case .commit(let names) = lane.next() {
            order += names
            lane.committed()
        }
        #expect(order == ["v1", "v2", "v3"])
        #expect(lane.outcomes() == told(1, 2, result: .withdrawn))
    }

    @Test func voidsAfterALongOutageGoInBatchesWithinTheBound() throws {
        var limits = LaneLimits()
        limits.batchRows = 10
        let lane = LaneDriver(limits)
        for id in 1...35 { try lane.create(UInt64(id)) }
        lane.now = .seconds(31)
        lane.reconnect([1: 1], generation: 2, batch: 0)
        var sizes: [Int] = []
        while case .commit(let names) = lane.next() {
            sizes.append(names.count)
            lane.committed()
        }
        #expect(sizes == [10, 10, 10, 5])
        #expect(lane.rowCount == 0 && lane.byteCount == 0)
    }
}
