import FluxCluster
import FluxCore
import Testing

@Suite struct WireCodableTests {
    private func survives<Value: WireCodable & Equatable>(_ value: Value) throws {
        #expect(try Value(decoding: value.encoded()) == value)
    }

    @Test func numbersSurviveAtTheirEnds() throws {
        for value in [0, 1, 127, 128, 16_383, 16_384, UInt64.max - 1, .max] { try survives(value) }
        for value in [0, 1, -1, 63, -64, 64, Int64.min, .max] { try survives(value) }
        for value in [0, UInt8.max] { try survives(value) }
        for value in [0, UInt16.max] { try survives(value) }
        for value in [0, -1.5, .infinity, Double.leastNonzeroMagnitude] { try survives(value) }
        try survives([true, false])
    }

    @Test func textBytesAndCollectionsSurvive() throws {
        try survives("")
        try survives("grüße 👋🏽 \u{0}")
        try survives([UInt8](0...255))
        try survives(["a", "", "c"])
        try survives([[1, 2], [], [3]])
        try survives([String?.none, "x"])
        try survives(Snowflake(.max >> 1))
        try survives(Timestamp(microseconds: -1))
        try survives(ActorAddress(kind: ActorKind(rawValue: 3), key: Snowflake(99)))
        try survives(NodeIdentity(name: "a", id: NodeID(rawValue: 1_023)!, incarnation: 5))
    }

    @Test func smallNumbersAreSmall() {
        #expect(UInt64(127).encoded() == [0x7F])
        #expect(UInt64(300).encoded() == [0xAC, 0x02])
        #expect((-1).encoded() == [1])
        #expect(UInt64.max.encoded().count == 10)
    }

    @Test(
        arguments: [
            ([0x80], WireError.truncated),
            ([0x80, 0x00], .malformed("number not in its shortest form")),
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02], .malformed("number longer than 64 bits")),
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x81], .malformed("number longer than 64 bits")),
        ] as [([UInt8], WireError)])
    func badNumbersAreRefused(bytes: [UInt8], error: WireError) {
        #expect(throws: error) { try UInt64(decoding: bytes) }
    }

    @Test func badValuesAreRefused() {
        #expect(throws: WireError.malformed("text is not UTF-8")) { try String(decoding: [2, 0xC3, 0x28]) }
        #expect(throws: WireError.truncated) { try String(decoding: [5, 65]) }
        #expect(throws: WireError.malformed("truth value is neither 0 nor 1")) { try Bool(decoding: [2]) }
        #expect(throws: WireError.malformed("number out of range")) { try UInt16(decoding: [0x80, 0x80, 0x04]) }
        #expect(throws: WireError.malformed("no such slot")) { try Slot(decoding: [0x80, 0x08]) }
        #expect(throws: WireError.malformed("no such node")) { try NodeID(decoding: [0x80, 0x08]) }
    }

    @Test func claimsBeyondTheInputTakeNoMemory() {
        // Nine quintillion elements, then nothing; and a gigabyte of text.
        let elements: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]
        #expect(throws: WireError.limitExceeded("elements")) { try [String](decoding: elements) }
        #expect(throws: WireError.limitExceeded("elements")) { try [Nothing](decoding: elements) }
        #expect(throws: WireError.truncated) { try [Nothing](decoding: [100]) }
        #expect(throws: WireError.limitExceeded("bytes")) { try String(decoding: [0x80, 0x80, 0x80, 0x80, 0x04]) }
    }

    @Test func nestingIsBounded() throws {
        /// Wraps itself as often as the first byte says.
        struct Nested: WireCodable {
            let depth: Int
            init(depth: Int) { self.depth = depth }
            func encode(to writer: inout WireWriter) {
                writer.bool(depth > 0)
                if depth > 0 { writer.value(Nested(depth: depth - 1)) }
            }
            init(from reader: inout WireReader) throws(WireError) {
                depth = try reader.bool() ? try reader.value(Nested.self).depth + 1 : 0
            }
        }
        #expect(try Nested(decoding: Nested(depth: 63).encoded()).depth == 63)
        #expect(throws: WireError.limitExceeded("depth")) {
            try Nested(decoding: [UInt8](repeating: 1, count: 100_000))
        }
    }

    @Test func anOlderReaderSkipsNewFieldsAndANewerOneSeesTheyAreMissing() throws {
        /// A record as version 1 knows it.
        struct Old: WireCodable, Equatable {
            let name: String
            init(name: String) { self.name = name }
            func encode(to writer: inout WireWriter) { writer.record { $0.string(name) } }
            init(from reader: inout WireReader) throws(WireError) {
                name = try reader.record { fields throws(WireError) in try fields.string() }
            }
        }
        /// The same record with one more field.
        struct New: WireCodable, Equatable {
            let name: String
            let age: Int?
            init(name: String, age: Int?) {
                self.name = name
                self.age = age
            }
            func encode(to writer: inout WireWriter) {
                writer.record {
                    $0.string(name)
                    $0.optional(age)
                }
            }
            init(from reader: inout WireReader) throws(WireError) {
                self = try reader.record { fields throws(WireError) in
                    New(name: try fields.string(), age: fields.isAtEnd ? nil : try fields.optional())
                }
            }
        }
        #expect(
            try [Old](decoding: [New(name: "a", age: 1), New(name: "b", age: 2)].encoded()) == [
                Old(name: "a"), Old(name: "b"),
            ])
        #expect(
            try [New](decoding: [Old(name: "a"), Old(name: "b")].encoded()) == [
                New(name: "a", age: nil), New(name: "b", age: nil),
            ])
        #expect(throws: WireError.truncated) { try Old(decoding: [3, 0, 0, 0, 1]) }
        // A record does not read past its end, though bytes follow.
        #expect(throws: WireError.truncated) { try Old(decoding: [1, 0, 0, 0, 1, 65]) }
    }
}
