import FluxCore
import Testing

@Suite struct JSONTests {
    private func parse(_ text: String) throws(JSONError) -> JSON {
        try JSON.parse(Array(text.utf8))
    }

    @Test func readsEveryKindOfValue() throws {
        let value = try parse(#" {"a": [1, -2, 3.5, "x", true, false, null], "b": {}, "c": []} "#)
        #expect(value == ["a": [1, -2, 3.5, "x", true, false, nil], "b": [:], "c": []])
        #expect(value["a"]?.arrayValue?.count == 7)
        #expect(value["d"] == nil)
    }

    @Test func keepsBigIntegersExactly() throws {
        #expect(try parse("9223372036854775807") == .number(.integer(.max)))
        #expect(try parse("-9223372036854775808") == .number(.integer(.min)))
        #expect(try parse("18446744073709551615") == .number(.unsigned(.max)))
        #expect(try parse("18446744073709551616") == .number(.double(18_446_744_073_709_551_616)))
        #expect(try parse("175928847299117063").snowflakeValue == Snowflake(175_928_847_299_117_063))
        #expect(try parse("\"175928847299117063\"").snowflakeValue == Snowflake(175_928_847_299_117_063))
        #expect(try parse("-5").snowflakeValue == nil)
        #expect(try parse("1e3").intValue == 1000)
        #expect(try parse("1.5").intValue == nil)
    }

    @Test func readsEscapes() throws {
        #expect(try parse(#""\"\\\/\b\f\n\r\t\u00e9\ud83d\udc4d""#) == "\"\\/\u{8}\u{C}\n\r\té👍")
        #expect(try parse(#""\u0000""#) == "\u{0}")
    }

    @Test func theLastOfEqualKeysWins() throws {
        #expect(try parse(#"{"a":1,"b":2,"a":3}"#) == ["a": 3, "b": 2])
        let many = (0..<1000).map { "\"k\($0 % 10)\":\($0)" }.joined(separator: ",")
        let object = try #require(try parse("{\(many)}").objectValue)
        #expect(object.count == 10)
        #expect(object["k3"] == 993)
    }

    @Test(arguments: [
        "", " ", "nul", "tru", "+1", "01", "-", "1.", ".5", "1e", "1e+", "0x1", "\"", "\"\\", "\"\\x\"", "\"\\u12\"",
        "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\n\"", "[", "[1", "[1,", "[1,]", "[,]", "{", "{\"a\"",
        "{\"a\":",
        "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{1:1}", "1 2", "[1]]", "NaN", "Infinity", "'a'", "1e999",
        "-1e999",
        "\u{FEFF}1",
    ])
    func refusesWhatIsNotJSON(text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0xAF, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
            [0x22, 0xE2, 0x82, 0x22], [0x22, 0x5C, 0x6E, 0xFF, 0x22], [0xEF, 0xBB, 0xBF, 0x31],
        ] as [[UInt8]])
    func refusesWhatIsNotUTF8(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSON.parse(bytes) }
    }

    @Test func nestingIsBounded() throws {
        let deepest = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        #expect(throws: Never.self) { try parse(deepest) }
        #expect(throws: JSONError(reason: .tooDeep, offset: 64)) { try parse("[" + deepest + "]") }
        #expect(throws: JSONError.self) { try parse(String(repeating: "[{\"a\":", count: 1_000_000)) }
        // Siblings do not add up.
        #expect(throws: Never.self) {
            try parse("[" + Array(repeating: "[[]]", count: 100).joined(separator: ",") + "]")
        }
    }

    @Test func acceptsCollectionsThatAreNotContiguous() throws {
        let halves = [Array("{\"a\"".utf8), Array(":1}".utf8)].joined()
        #expect(try JSON.parse(Array(halves)[...]) == ["a": 1])
        #expect(try JSON.parse("{\"a\":1}".utf8.lazy.map { $0 }) == ["a": 1])
    }

    @Test func writesWhatItReads() {
        let value: JSON = [
            "s": "a\"\\\n\u{1}é", "n": [-1, 1.5, .number(.unsigned(.max))], "t": true, "z": nil, "o": [:],
        ]
        let text = String(decoding: value.encoded(), as: UTF8.self)
        #expect(text == #"{"s":"a\"\\\n\u0001é","n":[-1,1.5,18446744073709551615],"t":true,"z":null,"o":{}}"#)
    }

    @Test func theWriterPlacesCommas() {
        var writer = JSONWriter()
        writer.beginArray()
        writer.beginObject()
        writer.field("a", 1)
        writer.emptyListField("b")
        writer.field("c", Snowflake(7))
        writer.field("d", raw: Array("[1]".utf8))
        writer.nullField("e")
        writer.endObject()
        writer.beginArray()
        writer.endArray()
        writer.int(Int64.min)
        writer.int(UInt64.max)
        writer.double(.infinity)
        writer.string("")
        writer.endArray()
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"[{"a":1,"b":[],"c":"7","d":[1],"e":null},[],-9223372036854775808,18446744073709551615,null,""]"#)
    }
}
