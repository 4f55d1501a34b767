import FluxCore
import Testing

@testable import flux_bench

@Suite struct PayloadTests {
    private func head(_ text: String, from offset: Int = 0) -> DispatchHead? {
        Array(text.utf8).withUnsafeBytes { DispatchHead.read($0, from: offset) }
    }

    @Test func theUsualHeadIsFound() throws {
        let text = #"[{"op":0,"s":1234567,"t":"MESSAGE_CREATE","d":{"id":"5"}}]"#
        let found = head(text, from: 1)
        let head = try #require(found)
        #expect(head.sequence == 1_234_567)
        let bytes = Array(text.utf8)
        #expect(String(decoding: bytes[head.kind], as: UTF8.self) == "MESSAGE_CREATE")
        #expect(String(decoding: bytes[head.body...], as: UTF8.self) == #"{"id":"5"}}]"#)
    }

    @Test(arguments: [
        #"{"op":1,"s":1,"t":"A","d":{}}"#, #"{"op":0,"t":"A","s":1,"d":{}}"#, #"{"op":0,"s":null,"t":"A","d":{}}"#,
        #"{"op":0,"s":-1,"t":"A","d":{}}"#, #"{"op":0,"s":1,"t":"\u0041","d":{}}"#, #"{"op":0,"s":1,"t":"A","d":"#,
        #"{ "op":0,"s":1,"t":"A","d":{}}"#, #"{"op":0,"s":1234567890123456789,"t":"A","d":{}}"#, "",
    ]) func otherSpellingsAreLeftToTheParser(text: String) { #expect(head(text) == nil) }

    /// The end that is found without parsing is where the parser says that the value ends.
    @Test func extentsAgreeWithTheParser() throws {
        let values: [JSON] = [
            "a \"quoted\" \\ text }],", ["a": ["b", 1, nil, [:], []], "c": "}\\\""], [1, [2, ["]"]]], 17, true, nil, "",
            ["\\": "\\\\"],
        ]
        for value in values {
            let encoded = value.encoded()
            for (before, after) in [("[", "]"), ("[", ",{}]"), (#"{"d":"#, "}")] {
                let bytes = Array(before.utf8) + encoded + Array(after.utf8)
                let end = bytes.withUnsafeBytes { JSONExtent.end(of: $0, from: before.utf8.count) }
                #expect(end == before.utf8.count + encoded.count, "\(String(decoding: bytes, as: UTF8.self))")
            }
            for length in 0..<encoded.count where encoded.count > 8 {
                let end = Array(encoded.prefix(length)).withUnsafeBytes { JSONExtent.end(of: $0, from: 0) }
                #expect(end == nil, "a part of \(length) bytes of \(String(decoding: encoded, as: UTF8.self))")
            }
        }
    }

    @Test func onlyTheVerySameBytesAreKnown() throws {
        var bodies = KnownBodies()
        let event = LoggedEvent(
            channel: 0, identity: EventIdentity(kind: .created, message: 5), place: Place(epoch: 1, seq: 1))
        func payload(_ kind: String, _ tail: String) -> [UInt8] {
            Array(#"{"op":0,"s":7,"t":"\#(kind)","d":{"id":"12345678901234567890123456789","x":"\#(tail)"}}"#.utf8)
        }
        let first = payload("MESSAGE_CREATE", "a")
        first.withUnsafeBytes { bytes in
            guard let head = DispatchHead.read(bytes, from: 0) else { return }
            bodies.remember(bytes, head, end: bytes.count - 1, event)
        }
        func finds(_ payload: [UInt8]) -> Bool {
            payload.withUnsafeBytes { bytes in
                guard let head = DispatchHead.read(bytes, from: 0),
                    case .known(let end, let found) = bodies.find(bytes, head)
                else { return false }
                return end == bytes.count - 1 && found === event
            }
        }
        #expect(finds(first))
        #expect(!finds(payload("MESSAGE_CREATE", "b")))
        #expect(!finds(payload("MESSAGE_UPDATE", "a")))
        #expect(!finds(Array(first.dropLast(3))))
    }

    @Test func textsCarryWhenTheyWereDue() {
        #expect(MessageText.due(MessageText.make(due: 123_456_789_012, size: 200)) == 123_456_789_012)
        #expect(MessageText.make(due: 5, size: 200).utf8.count == 200)
        #expect(MessageText.due("flux-bench x") == nil)
        #expect(MessageText.due("good morning") == nil)
    }

    @Test func noncesNameTheirRecord() {
        let nonce = Nonce(run: UInt64.max, loop: 63)
        #expect(nonce.index(nonce.text(0)) == 0)
        #expect(nonce.index(nonce.text(123_456_789)) == 123_456_789)
        #expect(nonce.text(999_999_999_999).utf8.count <= 25)
        #expect(nonce.index(Nonce(run: 1, loop: 63).text(4)) == nil)
        #expect(nonce.index(nonce.prefix + "-1") == nil)
        #expect(nonce.index("") == nil)
    }

    @Test func bodiesWithoutWhatTheyMustHaveAreNoEvents() {
        let whole: JSON = [
            "id": "7", "channel_id": "5", "seq": 3, "epoch": 2, "content": "flux-bench 99 x", "nonce": "n",
        ]
        let body = EventBody(.created, whole)
        #expect(body?.place == Place(epoch: 2, seq: 3))
        #expect(body?.due == 99)
        #expect(body?.nonce == "n")
        for key in ["id", "channel_id", "seq", "epoch"] {
            var object = whole.objectValue ?? JSONObject()
            object[key] = nil
            #expect(EventBody(.created, .object(object)) == nil, "without \(key)")
        }
        // What takes back what did not survive is no entry of the log.
        let retraction = EventBody(.deleted, ["id": "7", "channel_id": "5"])
        #expect(retraction != nil && retraction?.place == nil)
    }
}
