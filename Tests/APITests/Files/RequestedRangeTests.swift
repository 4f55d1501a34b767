import FluxAPI
import Testing

@Suite struct RequestedRangeTests {
    @Test(arguments: [
        ("bytes=0-4", 0..<5), ("bytes=5-", 5..<10), ("bytes=5-100", 5..<10), ("bytes=-3", 7..<10),
        ("bytes=-30", 0..<10),
        ("bytes=9-9", 9..<10), ("bytes=0-9223372036854775807", 0..<10),
    ]) func rangesAreResolved(field: String, range: Range<Int>) {
        #expect(RequestedRange(field)?.resolve(size: 10) == range)
    }

    @Test(arguments: ["bytes=10-", "bytes=-0", "bytes=11-12"]) func rangesOutsideAreNone(field: String) throws {
        #expect(try #require(RequestedRange(field)).resolve(size: 10) == nil)
        #expect(RequestedRange("bytes=-5")?.resolve(size: 0) == nil)
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes=-", "bytes=4-3", "bytes=a-b", "bytes=1-2,4-5", "lines=1-2", "bytes=--1",
        "bytes=+1-2", "bytes=99999999999999999999-",
    ]) func nonsenseIsIgnored(field: String) {
        #expect(RequestedRange(field) == nil)
    }
}
