import FluxCore
import Testing

@testable import FluxStore

/// How much a lane holds.
struct LaneBoundsTests {
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
}
