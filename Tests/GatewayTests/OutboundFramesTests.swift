import FluxCore
import FluxFuzzing
import FluxRealtime
import NIOCore
import Testing

@testable import FluxGateway

@Suite struct OutboundFramesTests {
    private func event(_ kind: EventKind = .messageCreate, _ body: String) -> StreamEvent {
        StreamEvent(kind: kind, body: Array(body.utf8))
    }

    /// A body whose bytes are hard to compress, so that compressed frames get every form of length.
    private func noise(_ count: Int, seed: UInt64) -> String {
        var random = SeededGenerator(seed: seed)
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        return "\"" + String((0..<count).map { _ in letters.randomElement(using: &random) ?? "a" }) + "\""
    }

    @Test(arguments: [0, 1, 60, 74, 75, 76, 77, 78, 100, 65_470, 65_483, 65_484, 65_485, 65_486, 200_000])
    func aDispatchIsOneTextFrame(length: Int) throws {
        var frames = OutboundFrames(deflate: nil, isBatched: false)
        let body = noise(length, seed: 1)
        frames.append(event(.messageCreate, body), sequence: 17)
        frames.append(event(.typingStart, "{}"), sequence: .max)
        frames.seal()
        let read = try ServerFrame.all(in: frames.buffer)
        #expect(read.map(\.opcode) == [1, 1])
        #expect(read[0].text == #"{"op":0,"s":17,"t":"MESSAGE_CREATE","d":\#(body)}"#)
        #expect(read[1].text == #"{"op":0,"s":18446744073709551615,"t":"TYPING_START","d":{}}"#)
    }

    @Test(arguments: EventKind.allCases) func everyKindHasItsName(kind: EventKind) throws {
        var frames = OutboundFrames(deflate: nil, isBatched: false)
        for sequence: UInt64 in [1, 9, 10, 99, 100, 12_345] {
            frames.append(event(kind, "null"), sequence: sequence)
            let text = try #require(try ServerFrame.read(from: &frames.buffer)).text
            #expect(text == #"{"op":0,"s":\#(sequence),"t":"\#(kind.name)","d":null}"#)
        }
    }

    @Test func otherPayloadsAndControlFrames() throws {
        var frames = OutboundFrames(deflate: nil, isBatched: false)
        frames.append(.hello, body: #"{"heartbeat_interval":41250}"#.utf8)
        frames.append(.pong, payload: ByteBuffer(bytes: [1, 2, 3]))
        frames.append(.invalidSession, body: "false".utf8, isAlone: true)
        let read = try ServerFrame.all(in: frames.buffer)
        #expect(
            read == [
                ServerFrame(
                    opcode: 1, payload: Array(#"{"op":10,"s":null,"t":null,"d":{"heartbeat_interval":41250}}"#.utf8)),
                ServerFrame(opcode: 10, payload: [1, 2, 3]),
                ServerFrame(opcode: 1, payload: Array(#"{"op":9,"s":null,"t":null,"d":false}"#.utf8)),
            ])
    }

    // MARK: Compression

    @Test(arguments: [0, 10, 90, 500, 5000, 65_000, 300_000]) func aCompressedPayloadIsOneFrameOfTheStream(length: Int)
        throws
    {
        var frames = OutboundFrames(deflate: DeflateStream(), isBatched: false)
        let inflate = InflateStream()
        for sequence in 1...5 as ClosedRange<UInt64> {
            let body = noise(length, seed: sequence)
            frames.append(event(.messageCreate, body), sequence: sequence)
            frames.append(.heartbeatAcknowledgement, body: "null".utf8)
            let read = try ServerFrame.all(in: frames.exchangeBuffer(for: ByteBuffer()))
            #expect(read.map(\.opcode) == [2, 2])
            for frame in read { #expect(Array(frame.payload.suffix(4)) == [0, 0, 0xFF, 0xFF]) }
            let texts = read.compactMap { inflate.read($0.payload) }.map { String(decoding: $0, as: UTF8.self) }
            #expect(
                texts == [
                    #"{"op":0,"s":\#(sequence),"t":"MESSAGE_CREATE","d":\#(body)}"#,
                    #"{"op":11,"s":null,"t":null,"d":null}"#,
                ])
        }
    }

    @Test func repetitionIsCompressedAway() throws {
        var frames = OutboundFrames(deflate: DeflateStream(), isBatched: false)
        let body =
            #"{"id":"1234567890","channel_id":"987654321","author":{"id":"42","username":"somebody"},"content":"hello"}"#
        for sequence in 1...100 as ClosedRange<UInt64> {
            frames.append(event(.messageCreate, body), sequence: sequence)
        }
        #expect(frames.byteCount < 100 * 40)
    }

    // MARK: Batches

    @Test func payloadsShareAFrame() throws {
        var frames = OutboundFrames(deflate: nil, isBatched: true)
        for sequence in 1...3 as ClosedRange<UInt64> { frames.append(event(.typingStart, "{}"), sequence: sequence) }
        frames.append(.heartbeatAcknowledgement, body: "null".utf8)
        frames.seal()
        let read = try ServerFrame.all(in: frames.buffer)
        let dispatches = (1...3).map { #"{"op":0,"s":\#($0),"t":"TYPING_START","d":{}}"# }
        #expect(
            read.map(\.text) == [
                "[" + (dispatches + [#"{"op":11,"s":null,"t":null,"d":null}"#]).joined(separator: ",") + "]"
            ])
    }

    @Test func someGoAlone() throws {
        var frames = OutboundFrames(deflate: nil, isBatched: true)
        frames.append(event(.typingStart, "{}"), sequence: 1)
        frames.append(.reconnect, body: "null".utf8, isAlone: true)
        frames.append(event(.typingStart, "{}"), sequence: 2)
        frames.append(.ping, payload: ByteBuffer())
        frames.append(event(.typingStart, "{}"), sequence: 3)
        frames.seal()
        let read = try ServerFrame.all(in: frames.buffer)
        #expect(read.map(\.opcode) == [1, 1, 1, 9, 1])
        #expect(read[1].text == #"[{"op":7,"s":null,"t":null,"d":null}]"#)
    }

    @Test(arguments: [false, true]) func batchesAreBounded(isCompressed: Bool) throws {
        var frames = OutboundFrames(deflate: isCompressed ? DeflateStream() : nil, isBatched: true)
        let inflate = InflateStream()
        var random = SeededGenerator(seed: 4)
        var next: Int64 = 1
        for sequence in 1...2000 as ClosedRange<UInt64> {
            frames.append(
                event(.messageCreate, noise(Int.random(in: 0...600, using: &random), seed: sequence)),
                sequence: sequence)
        }
        frames.append(event(.guildCreate, noise(100_000, seed: 5)), sequence: 2001)
        frames.append(event(.typingStart, "{}"), sequence: 2002)
        frames.seal()
        for frame in try ServerFrame.all(in: frames.buffer) {
            #expect(frame.opcode == (isCompressed ? 2 : 1))
            let bytes = try #require(isCompressed ? inflate.read(frame.payload) : frame.payload)
            let payloads = try #require(try JSON.parse(bytes).arrayValue)
            #expect((1...64).contains(payloads.count))
            for payload in payloads {
                #expect(payload["s"]?.intValue == Int(next))
                next += 1
            }
            let withoutLast = bytes.count - (payloads.last?.encoded().count ?? 0)
            #expect(withoutLast <= OutboundFrames.batchByteLimit + 64)
        }
        #expect(next == 2003)
    }
}
