import FluxCore
import FluxFuzzing
import Testing

@Suite struct TimestampTests {
    @Test(
        arguments: [
            ("2026-01-31T12:00:00.123456+00:00", 1_769_860_800_123_456),
            ("2024-02-29T23:59:59.999999+00:00", 1_709_251_199_999_999),
            ("2000-03-01T00:00:00.000000+00:00", 951_868_800_000_000),
            ("1969-12-31T23:59:59.999999+00:00", -1),
            ("1900-03-01T00:00:00.000001+00:00", -2_203_891_199_999_999),
            ("9999-12-31T23:59:59.999999+00:00", 253_402_300_799_999_999),
            ("0001-01-01T00:00:00.000000+00:00", -62_135_596_800_000_000),
        ] as [(String, Int64)])
    func isWrittenAndReadInTheProtocolsForm(text: String, microseconds: Int64) {
        #expect(Timestamp(microseconds: microseconds).iso8601 == text)
        #expect(Timestamp(iso8601: text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "2026-01-31T12:00:00Z", "2026-01-31 12:00:00", "2026-01-31T13:00:00+01:00", "2026-01-31T07:30:00.000-0430",
        "2026-01-31T12:00", "2026-01-31T12:00:00.000000000+00", "2026-01-31t12:00:00z",
    ])
    func readsWhatClientsSend(text: String) {
        #expect(Timestamp(iso8601: text)?.microseconds == 1_769_860_800_000_000)
    }

    @Test(arguments: [
        "", "2026", "2026-01-31", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00.1234567890Z", "2026-01-31T12:00:00ZZ",
        "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+1", "-026-01-31T12:00:00Z", "２026-01-31T12:00:00Z",
    ])
    func refusesOtherText(text: String) {
        #expect(Timestamp(iso8601: text) == nil)
    }

    @Test func everyMomentSurvivesWritingAndReading() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<20_000 {
            let moment = Timestamp(
                microseconds: .random(in: -62_167_219_200_000_000...253_402_300_799_999_999, using: &generator))
            #expect(Timestamp(iso8601: moment.iso8601) == moment)
        }
    }

    @Test func nothingTrapsAtTheEdges() {
        #expect(Timestamp(microseconds: .max).iso8601 == "9999-12-31T23:59:59.999999+00:00")
        #expect(Timestamp(microseconds: .min).iso8601 == "0000-01-01T00:00:00.000000+00:00")
        #expect(Timestamp(milliseconds: .max).microseconds == .max)
        #expect(Timestamp(microseconds: .max).adding(seconds: 1).microseconds == .max)
        #expect(Timestamp(microseconds: 0).adding(seconds: .min).microseconds == .min)
        #expect(Timestamp(microseconds: -1).seconds == -1)
        #expect(Timestamp(microseconds: -1).milliseconds == -1)
    }
}
