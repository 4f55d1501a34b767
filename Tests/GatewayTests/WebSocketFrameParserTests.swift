import FluxRealtime
import NIOCore
import Testing

@testable import FluxGateway

/// The cases of RFC 6455, in the order of its sections, as the Autobahn suite asks them of a server.
@Suite struct WebSocketFrameParserTests {
    typealias Event = WebSocketFrameParser.Event
    typealias Failure = WebSocketFrameParser.Failure

    /// Everything the parser makes of the bytes, given in pieces of `step`; a failure ends it.
    private func parse(_ bytes: [UInt8], step: Int = .max) -> (events: [Event], failure: Failure?) {
        var parser = WebSocketFrameParser()
        var events: [Event] = []
        var buffer = ByteBuffer()
        var rest = bytes[...]
        while !rest.isEmpty {
            buffer.writeBytes(rest.prefix(step))
            rest = rest.dropFirst(step)
            do {
                while let event = try parser.next(from: &buffer) { events.append(event) }
            } catch {
                return (events, error)
            }
        }
        return (events, nil)
    }

    private func parse(_ frames: ClientFrame...) -> (events: [Event], failure: Failure?) {
        parse(frames.flatMap(\.bytes))
    }

    private func failure(_ frames: ClientFrame...) -> Failure? {
        parse(frames.flatMap(\.bytes)).failure
    }

    @Test(arguments: [0, 1, 2, 7, 8, 9, 125, 126, 127, 128, 65535, 65536])
    func messagesOfEveryLengthComeThroughInAnyPieces(length: Int) {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) & 0x7F }
        for opcode: UInt8 in [1, 2] {
            let bytes = ClientFrame(opcode: opcode, payload: payload).bytes
            for step in [1, 2, 3, 1000, .max] where length < 1000 || step >= 1000 {
                let (events, failure) = parse(bytes, step: step)
                #expect(events == [.message(ByteBuffer(bytes: payload))])
                #expect(failure == nil)
            }
        }
    }

    @Test func theExampleOfTheRFCIsRead() {
        // Section 5.7: a single-frame masked text message.
        let (events, _) = parse([0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
        #expect(events == [.message(ByteBuffer(string: "Hello"))])
    }

    @Test func framesBehindEachOtherAreAllRead() {
        let (events, failure) = parse(.text("a"), .init(opcode: 9, payload: [1, 2]), .init(opcode: 10), .text("b"))
        #expect(
            events == [
                .message(ByteBuffer(string: "a")), .ping(ByteBuffer(bytes: [1, 2])), .pong,
                .message(ByteBuffer(string: "b")),
            ])
        #expect(failure == nil)
    }

    @Test func bytesOfAnIncompleteFrameStayWithTheCaller() throws {
        var parser = WebSocketFrameParser()
        var buffer = ByteBuffer(bytes: ClientFrame.text("whole").bytes + ClientFrame.text("part").bytes.dropLast())
        #expect(try parser.next(from: &buffer) == .message(ByteBuffer(string: "whole")))
        #expect(try parser.next(from: &buffer) == nil)
        #expect(buffer.readableBytes == ClientFrame.text("part").bytes.count - 1)
    }

    // MARK: 5.1, 5.2

    @Test func unmaskedFramesAreRefused() {
        #expect(failure(.init(opcode: 1, payload: [0x61], key: nil)) == .unmasked)
        #expect(failure(.init(opcode: 9, key: nil)) == .unmasked)
    }

    @Test(arguments: 1...7) func reservedBitsAreRefused(bits: UInt8) {
        #expect(failure(.init(opcode: 1, payload: [0x61], reserved: bits)) == .reservedBits)
        #expect(failure(.init(opcode: 8, reserved: bits)) == .reservedBits)
    }

    @Test(arguments: [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) func reservedOpcodesAreRefused(opcode: UInt8) {
        let (events, failure) = parse(.text("before"), .init(opcode: opcode))
        #expect(events.count == 1)
        #expect(failure == .reservedOpcode)
    }

    @Test func lengthsMustBeWrittenInTheirShortestForm() {
        #expect(
            failure(.init(opcode: 2, payload: Array(repeating: 1, count: 125), lengthForm: 126)) == .malformedLength)
        #expect(
            failure(.init(opcode: 2, payload: Array(repeating: 1, count: 126), lengthForm: 127)) == .malformedLength)
        #expect(
            failure(.init(opcode: 2, payload: Array(repeating: 1, count: 65535), lengthForm: 127)) == .malformedLength)
        // The highest bit of a 64-bit length must be 0.
        #expect(parse([0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]).failure == .malformedLength)
    }

    // MARK: The limit

    @Test func aLargeFrameIsRefusedByItsHeaderAlone() {
        let announced: [UInt8] = [0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 1, 9, 9, 9, 9]
        #expect(parse(announced).failure == .messageTooLarge)
        #expect(Failure.messageTooLarge.closeCode == WebSocketCloseCode(.undecodable))
    }

    @Test func fragmentsCountTogether() {
        let half = [UInt8](repeating: 0x20, count: 32 * 1024)
        let whole = parse(
            .init(opcode: 2, payload: half, isFinal: false), .init(opcode: 0, payload: half))
        #expect(whole.events == [.message(ByteBuffer(bytes: half + half))])
        #expect(
            failure(
                .init(opcode: 2, payload: half, isFinal: false), .init(opcode: 0, payload: half, isFinal: false),
                .init(opcode: 0, payload: [1])) == .messageTooLarge)
    }

    // MARK: 5.4

    @Test func fragmentsAreJoinedAroundControlFrames() {
        let (events, failure) = parse(
            .init(opcode: 1, payload: Array("Hel".utf8), isFinal: false), .init(opcode: 9, payload: [7]),
            .init(opcode: 0, payload: [], isFinal: false), .init(opcode: 10),
            .init(opcode: 0, payload: Array("lo".utf8)), .text("next"))
        #expect(
            events == [
                .ping(ByteBuffer(bytes: [7])), .pong, .message(ByteBuffer(string: "Hello")),
                .message(ByteBuffer(string: "next")),
            ])
        #expect(failure == nil)
    }

    @Test func misplacedFragmentsAreRefused() {
        #expect(failure(.init(opcode: 0, payload: [1])) == .misplacedFragment)
        #expect(failure(.init(opcode: 0, payload: [1], isFinal: false)) == .misplacedFragment)
        #expect(failure(.init(opcode: 1, isFinal: false), .text("inside")) == .misplacedFragment)
        #expect(failure(.init(opcode: 1, isFinal: false), .init(opcode: 0), .init(opcode: 0)) == .misplacedFragment)
    }

    // MARK: 5.5

    @Test(arguments: [8, 9, 10]) func controlFramesAreShortAndWhole(opcode: UInt8) {
        #expect(failure(.init(opcode: opcode, payload: Array(repeating: 0, count: 126))) == .malformedControlFrame)
        #expect(failure(.init(opcode: opcode, isFinal: false)) == .malformedControlFrame)
        let longest: [UInt8] =
            opcode == 8 ? [0x03, 0xE8] + Array(repeating: 0x61, count: 123) : Array(repeating: 0, count: 125)
        #expect(failure(.init(opcode: opcode, payload: longest)) == nil)
    }

    @Test func aCloseEndsEverything() {
        let (events, failure) = parse(.close(1000, reason: "bye"), .text("after"), .init(opcode: 3))
        #expect(events == [.close(.normal)])
        #expect(failure == nil)
        #expect(parse(.close(nil)).events == [.close(nil)])
    }

    @Test(arguments: [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])
    func allowedCloseCodes(code: UInt16) {
        #expect(parse(.close(code)).events == [.close(WebSocketCloseCode(rawValue: code))])
    }

    @Test(arguments: [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
    func forbiddenCloseCodes(code: UInt16) {
        #expect(failure(.close(code)) == .malformedClose)
    }

    @Test func malformedCloses() {
        #expect(failure(.init(opcode: 8, payload: [3])) == .malformedClose)
        #expect(failure(.init(opcode: 8, payload: [0x03, 0xE8, 0xC3, 0x28])) == .malformedClose)
    }

    // MARK: 8.1

    @Test(arguments: ["κόσμε", "\u{0}", "\u{80}\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}", "👍🏽", "\u{D7FF}\u{E000}"])
    func validTextComesThrough(text: String) {
        #expect(parse(.text(text)).events == [.message(ByteBuffer(string: text))])
        // Cut in the middle of a scalar.
        let bytes = Array(text.utf8)
        for cut in 0...bytes.count {
            let fragments = parse(
                .init(opcode: 1, payload: Array(bytes[..<cut]), isFinal: false),
                .init(opcode: 0, payload: Array(bytes[cut...])))
            #expect(fragments.events == [.message(ByteBuffer(string: text))])
        }
    }

    @Test(arguments: [
        [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80],
        [0xED, 0xBF, 0xBF], [0xEF, 0xBF], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80],
        [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        Array("12345678".utf8) + [0xC3, 0x28], [0xE2, 0x28, 0xA1], [0xE2, 0x82, 0x28], [0xF0, 0x9F, 0x91],
    ])
    func invalidTextIsRefusedAndBinaryIsNot(bytes: [UInt8]) {
        #expect(failure(.init(opcode: 1, payload: bytes)) == .invalidText)
        #expect(failure(.init(opcode: 1, payload: Array("abc".utf8) + bytes)) == .invalidText)
        #expect(failure(.init(opcode: 2, payload: bytes)) == nil)
        #expect(Failure.invalidText.closeCode.rawValue == 1007)
    }

    @Test func afterAFailureNothingIsRead() {
        var parser = WebSocketFrameParser()
        var buffer = ByteBuffer(bytes: ClientFrame(opcode: 3).bytes)
        #expect(throws: Failure.reservedOpcode) { try parser.next(from: &buffer) }
        buffer.writeBytes(ClientFrame.text("after").bytes)
        #expect((try? parser.next(from: &buffer)) == .some(nil))
        #expect(buffer.readableBytes == 0)
    }
}
