import FluxFuzzing
import Foundation
import NIOCore
import Testing

@testable import FluxGateway

/// Hostile bytes never crash the parser, never make it hold more than its bound, and mean the same in any pieces.
@Suite struct WebSocketFrameParserFuzzTests {
    private typealias Outcome = (events: [WebSocketFrameParser.Event], failure: WebSocketFrameParser.Failure?)

    private func parse(_ bytes: [UInt8], pieces: () -> Int) -> Outcome {
        var parser = WebSocketFrameParser()
        var buffer = ByteBuffer()
        var events: [WebSocketFrameParser.Event] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let step = max(1, pieces())
            buffer.writeBytes(rest.prefix(step))
            rest = rest.dropFirst(step)
            do {
                while let event = try parser.next(from: &buffer) { events.append(event) }
            } catch {
                return (events, error)
            }
            #expect(buffer.readableBytes <= WebSocketFrameParser.maximumMessageSize + 14)
        }
        return (events, nil)
    }

    /// Random bytes, or frames with some of their bytes changed.
    private func input(_ random: inout SeededGenerator) -> [UInt8] {
        if Bool.random(using: &random) {
            return (0..<Int.random(in: 1...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        var bytes: [UInt8] = []
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            let opcode: UInt8 = [0, 1, 2, 8, 9, 10, 1, 2].randomElement(using: &random) ?? 1
            let length = [0, 1, 2, 5, 20, 125, 126, 200].randomElement(using: &random) ?? 0
            var payload = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            if opcode == 1 || opcode == 0 { payload = payload.map { $0 & 0x7F } }
            if opcode == 8, length >= 2 { payload.replaceSubrange(0..<2, with: [0x03, 0xE8]) }
            bytes +=
                ClientFrame(opcode: opcode, payload: payload, isFinal: Int.random(in: 0..<4, using: &random) > 0).bytes
        }
        if Int.random(in: 0..<2, using: &random) == 0 {
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
        }
        return bytes
    }

    @Test func hostileBytes() async {
        var random = SeededGenerator(seed: 6455)
        for await round in GivingWay(0..<FuzzBudget.inputs) {
            let bytes = input(&random)
            let whole = parse(bytes) { .max }
            let pieces = parse(bytes) { Int.random(in: 1...7, using: &random) }
            let isSame = whole.events == pieces.events && whole.failure == pieces.failure
            if !isSame { Issue.record("round \(round): \(bytes) gives \(whole) whole and \(pieces) in pieces") }
        }
    }
}
