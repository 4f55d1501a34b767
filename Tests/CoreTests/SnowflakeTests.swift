import FluxCore
import Testing

@Suite struct SnowflakeTests {
    @Test func readsAndWritesDecimal() throws {
        let id = try #require(Snowflake("175928847299117063"))
        #expect(id.rawValue == 175_928_847_299_117_063)
        #expect(id.description == "175928847299117063")
        #expect(id.timestampMilliseconds == 1_462_015_105_796)
    }

    @Test(arguments: [
        "", "0", "-1", "+1", " 1", "1 ", "1.0", "0x10", "１", "9223372036854775808", "99999999999999999999999",
    ])
    func refusesWhatIsNoID(text: String) {
        #expect(Snowflake(text) == nil)
    }

    @Test func cursorsGoFromZeroToTheMaximum() {
        #expect(Snowflake(cursor: "0") == Snowflake(0))
        #expect(Snowflake(cursor: "9223372036854775807") == .maximum)
        #expect(Snowflake(cursor: "9223372036854775808") == nil)
        #expect(Snowflake(cursor: "00000000000000000000001") == nil)
    }

    @Test func lowestAtAMomentIsNotAboveAnyIDOfThatMoment() {
        let milliseconds: Int64 = 1_462_015_105_796
        #expect(Snowflake.lowest(atMilliseconds: milliseconds).timestampMilliseconds == milliseconds)
        #expect(Snowflake.lowest(atMilliseconds: milliseconds) <= Snowflake(175_928_847_299_117_063))
        #expect(Snowflake.lowest(atMilliseconds: milliseconds + 1) > Snowflake(175_928_847_299_117_063))
        #expect(Snowflake.lowest(atMilliseconds: 0) == Snowflake(0))
        #expect(Snowflake.lowest(atMilliseconds: .max / 2) <= .maximum)
    }

    @Test func slotsAreStableAndSpread() {
        // The mapping is stored in the database: these numbers must never change.
        #expect(Slot(of: Snowflake(1)).rawValue == 485)
        #expect(Slot(of: Snowflake(175_928_847_299_117_063)).rawValue == 224)
        var counts = [Int](repeating: 0, count: Slot.count)
        let start: UInt64 = 1 << 50
        for step in 0..<UInt64(1024 * 64) { counts[Int(Slot(of: Snowflake(start + step << 12)).rawValue)] += 1 }
        #expect(counts.allSatisfy { $0 > 24 && $0 < 128 })
        #expect(Slot(rawValue: 1024) == nil)
        #expect(Slot.all.count == 1024)
    }
}
