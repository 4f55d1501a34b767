import FluxCore
import Testing

@testable import FluxStore

/// The write-behind pipeline, driven by plain calls.
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

    // MARK: Bounds

    @Test func aLaneHoldsSoManyRows() throws {
        var limits = LaneLimits()
        limits.rows = 3
        let lane = LaneDriver(owning: [1: 1], limits: limits)
        for id in 1...3 { try lane.create(UInt64(id)) }
        #expect(refusal { try lane.create(4) } == .overloaded)
        _ = lane.next()
        // What is under way counts.
        #expect(refusal { try lane.create(4) } == .overloaded)
        lane.committed()
        try lane.create(4)
        #expect(lane.outcomes().count == 3)
        #expect(lane.rowCount == 1)
    }

    @Test func aLaneHoldsSoManyBytesButAlwaysOneMutation() throws {
        var limits = LaneLimits()
        limits.bytes = 2000
        let lane = LaneDriver(owning: [1: 1], limits: limits)
        try lane.create(1, content: String(repeating: "x", count: 10_000))
        #expect(refusal { try lane.create(2) } == .overloaded)
        _ = lane.next()
        lane.committed()
        try lane.create(2)
        try lane.create(3)
        #expect(refusal { try lane.create(4, content: String(repeating: "x", count: 1000)) } == .overloaded)
    }

    @Test func aLaneTakesNothingWhileItsOldestIsTooOld() throws {
        let lane = LaneDriver(owning: [1: 1])
        try lane.create(1)
        _ = lane.next()
        lane.now = .seconds(30)
        try lane.create(2)
        lane.now = .seconds(30.001)
        #expect(refusal { try lane.create(3) } == .overloaded)
        lane.committed()
        try lane.create(3)
    }

    @Test func whatAMessageCarriesCountsForTheBytes() {
        var message = Message(
            id: Snowflake(1), channelID: Snowflake(1), authorID: Snowflake(1), content: "", seq: 1, epoch: 1)
        let plain = MessageRow(message).byteCount
        message.embeds = [["description": .string(String(repeating: "x", count: 5000))]]
        #expect(MessageRow(message).byteCount > plain + 5000)
    }

    // MARK: Coalesced values

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

    // MARK: Leases

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

    // MARK: The end

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
