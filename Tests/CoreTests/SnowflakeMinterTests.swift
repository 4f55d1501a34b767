import FluxCore
import FluxFuzzing
import Testing

@Suite struct SnowflakeMinterTests {
    private let now: Int64 = 1_780_000_000_000

    private func mint(
        _ minter: inout SnowflakeMinter, atMilliseconds now: Int64, above: Snowflake? = nil
    ) throws -> Snowflake {
        let id = minter.mint(atMilliseconds: now, above: above)
        return try #require(id)
    }

    @Test func carriesTimeNodeAndCounter() throws {
        var minter = SnowflakeMinter(node: 5, highWaterMilliseconds: now + 1000)
        let first = try mint(&minter, atMilliseconds: now)
        let second = try mint(&minter, atMilliseconds: now)
        #expect(first.timestampMilliseconds == now)
        #expect((first.rawValue >> 12) & 0x3FF == 5)
        #expect(second.rawValue == first.rawValue + 1)
    }

    @Test func growsWhateverTheClockDoes() async throws {
        var generator = SeededGenerator(seed: 7)
        var minter = SnowflakeMinter(node: 1023, highWaterMilliseconds: .max)
        var last = Snowflake(0)
        for await _ in GivingWay(0..<100_000) {
            let clock = now + Int64.random(in: -50...50, using: &generator)
            let id = try mint(&minter, atMilliseconds: clock)
            #expect(id > last)
            last = id
        }
    }

    @Test func movesOnWhenACounterIsSpent() throws {
        var minter = SnowflakeMinter(node: 0, highWaterMilliseconds: .max)
        var ids: Set<Snowflake> = []
        for _ in 0..<5000 { ids.insert(try mint(&minter, atMilliseconds: now)) }
        #expect(ids.count == 5000)
        #expect(ids.max()?.timestampMilliseconds == now + 1)
    }

    @Test(arguments: [(node: UInt16(0), other: UInt16(1023)), (1023, 0), (7, 7)])
    func exceedsAnIDOfAnotherNode(node: UInt16, other: UInt16) throws {
        var theirs = SnowflakeMinter(node: other, highWaterMilliseconds: .max)
        var minter = SnowflakeMinter(node: node, highWaterMilliseconds: .max)
        for ahead in [Int64(0), 1, 500] {
            let above = try mint(&theirs, atMilliseconds: now + ahead)
            let id = try mint(&minter, atMilliseconds: now, above: above)
            #expect(id > above)
            #expect((id.rawValue >> 12) & 0x3FF == UInt64(node))
        }
    }

    @Test func saysWhetherThereIsRoomAboveAnIDOfAnotherNode() throws {
        var minter = SnowflakeMinter(node: 1, highWaterMilliseconds: now + 300_000)
        #expect(minter.hasRoom(above: .lowest(atMilliseconds: now)))
        let ahead = Snowflake.lowest(atMilliseconds: now + 400_000)
        #expect(!minter.hasRoom(above: ahead))
        let refused = minter.mint(atMilliseconds: now, above: ahead)
        #expect(refused == nil)
        minter.highWaterMilliseconds = now + 700_000
        #expect(minter.hasRoom(above: ahead))
        #expect(try mint(&minter, atMilliseconds: now, above: ahead) > ahead)
    }

    @Test func stopsBelowTheHighWaterAndStartsAboveTheFloor() throws {
        var minter = SnowflakeMinter(node: 1, floorMilliseconds: now + 300, highWaterMilliseconds: now + 302)
        // The clock is behind what the former incarnation had reserved.
        let first = try mint(&minter, atMilliseconds: now)
        #expect(first.timestampMilliseconds == now + 300)
        let refused = minter.mint(atMilliseconds: now + 302)
        #expect(refused == nil)
        let second = try mint(&minter, atMilliseconds: now)
        #expect(second.rawValue == first.rawValue + 1)
        minter.highWaterMilliseconds = now + 400
        let third = try mint(&minter, atMilliseconds: now + 302)
        #expect(third.timestampMilliseconds == now + 302)
    }
}
