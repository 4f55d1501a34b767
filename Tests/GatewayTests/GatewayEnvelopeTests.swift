import FluxCore
import FluxFuzzing
import NIOCore
import Testing

@testable import FluxGateway

@Suite struct GatewayEnvelopeTests {
    private func envelope(_ text: String) -> (opcode: Int, body: String?)? {
        let buffer = ByteBuffer(string: text)
        let bytes = buffer.readableBytesUInt8Span
        guard let envelope = GatewayEnvelope(scanning: bytes, in: 0..<bytes.count) else { return nil }
        return (envelope.opcode, envelope.body.map { String(text.utf8.dropFirst($0.lowerBound).prefix($0.count))! })
    }

    @Test(arguments: [
        (#"{"op":1,"d":251}"#, 1, "251"), (#"{"op": 1, "d": null}"#, 1, "null"),
        (#"{"d":{"a":[1,{"b":"}"}]},"op":100}"#, 100, #"{"a":[1,{"b":"}"}]}"#),
        (" \n{ \"s\" : null , \"t\":\"x\\\"y\", \"op\" :2,\"d\"\t:\"a\\\\\" } ", 2, #""a\\""#),
        (#"{"op":3,"d":[]}"#, 3, "[]"),
        (#"{"op":-5,"d":true}"#, -5, "true"), (#"{"op":1,"op":2,"d":1,"d":2}"#, 2, "2"),
    ])
    func envelopesAreRead(text: String, opcode: Int, body: String) {
        let found = envelope(text)
        #expect(found?.opcode == opcode)
        #expect(found?.body == body)
    }

    @Test func theBodyMayBeAbsent() {
        let found = envelope(#"{"op":11}"#)
        #expect(found?.opcode == 11)
        #expect(found != nil && found?.body == nil)
    }

    @Test(arguments: [
        "", " ", "{", "}", "{}", "[]", "1", "null", #""op""#, #"{"op"}"#, #"{"op":}"#, #"{"op":1"#, #"{"op":1,}"#,
        #"{"op":1}x"#,
        #"{"op":1}{"op":1}"#, #"{"op":"1"}"#, #"{"op":1.5}"#, #"{"op":1e3}"#, #"{"op":true}"#,
        #"{"op":99999999999999999999}"#,
        #"{"op":1,"d":{]}}"#, #"{"op":1,"d":"unterminated}"#, #"{"op":1,"d":"\"}"#, #"{op:1}"#, #"{"op":1 "d":2}"#,
        #"[{"op":1}]"#, #"{"d":1}"#, #"{"op":-}"#, #"{"op":1,"d":}"#,
    ])
    func otherThingsAreRefused(text: String) {
        #expect(envelope(text) == nil)
    }

    @Test func nestingIsBounded() {
        func nested(_ depth: Int) -> String {
            #"{"op":3,"d":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth) + "}"
        }
        #expect(envelope(nested(64)) != nil)
        #expect(envelope(nested(65)) == nil)
        #expect(envelope(nested(30_000)) == nil)
    }

    @Test func integersAreExact() {
        func integer(_ text: String) -> Int64? {
            let buffer = ByteBuffer(string: text)
            return GatewayEnvelope.integer(buffer.readableBytesUInt8Span, 0..<buffer.readableBytes)
        }
        #expect(integer("0") == 0)
        #expect(integer("9223372036854775807") == .max)
        #expect(integer("-9223372036854775808") == .min)
        for text in ["", "-", "+1", "1 ", "9223372036854775808", "-9223372036854775809", "1e2", "0x10", "null"] {
            #expect(integer(text) == nil)
        }
    }

    // MARK: Batches

    private func payloads(_ text: String, allowingBatch: Bool = true) -> [String]? {
        let buffer = ByteBuffer(string: text)
        return GatewayEnvelope.payloads(in: buffer.readableBytesUInt8Span, allowingBatch: allowingBatch)?
            .map { String(text.utf8.dropFirst($0.lowerBound).prefix($0.count))! }
    }

    @Test func batchesAreTakenApart() {
        #expect(payloads(#" [ {"op":1} , {"op":2,"d":[1,2]} ] "#) == [#"{"op":1}"#, #"{"op":2,"d":[1,2]}"#])
        #expect(payloads(#"{"op":1}"#) == [#"{"op":1}"#])
        #expect(payloads("[" + Array(repeating: "1", count: 64).joined(separator: ",") + "]")?.count == 64)
        #expect(payloads("[" + Array(repeating: "1", count: 65).joined(separator: ",") + "]") == nil)
        for text in ["[]", "[", "[1", "[1,]", "[,1]", "[1]2", "[1 2]"] { #expect(payloads(text) == nil) }
    }

    @Test func withoutBatchModeAnArrayIsNoPayload() {
        #expect(payloads(#"[{"op":1}]"#, allowingBatch: false) == [#"[{"op":1}]"#])
    }

    // MARK: Fuzz

    /// The envelope agrees with the real parser on every valid document, and survives every other.
    @Test func hostileBytes() async throws {
        var random = SeededGenerator(seed: 100)
        let seeds = [
            #"{"op":1,"d":251}"#, #"{"op":100,"d":{"channel_id":"1","nonce":"a","content":"x\"\\\u00e9"}}"#,
            #"[{"op":3,"d":{"activities":[{"name":"a"}],"since":null}},{"op":1,"d":null}]"#,
            #"{"op":2,"d":{"token":"t","shard":[0,1]}}"#,
        ].map { Array($0.utf8) }
        for await _ in GivingWay(0..<FuzzBudget.inputs) {
            var bytes = seeds.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = Array("{}[]\",:\\0a \u{80}".utf8).randomElement(using: &random) ?? 0
                case 1: bytes.remove(at: index)
                default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: index)
                }
            }
            let buffer = ByteBuffer(bytes: bytes)
            let span = buffer.readableBytesUInt8Span
            _ = GatewayEnvelope.payloads(in: span, allowingBatch: true)
            let envelope = GatewayEnvelope(scanning: span, in: 0..<span.count)
            guard let document = try? JSON.parse(bytes) else { continue }
            // A key written with escapes is not looked for by the envelope.
            guard !bytes.contains(UInt8(ascii: "\\")) else { continue }
            #expect(envelope?.opcode == document["op"]?.intValue)
            guard let envelope else { continue }
            let body = try envelope.body.map { try JSON.parse(bytes[$0]) }
            #expect(body == document["d"])
        }
    }
}
