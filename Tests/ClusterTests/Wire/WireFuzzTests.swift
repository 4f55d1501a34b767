import FluxCore
import FluxFuzzing
import Testing

@testable import FluxCluster

@Suite struct WireFuzzTests {
    /// Exercises every kind of field.
    private struct Everything: WireCodable, Equatable {
        var numbers: [UInt64]
        var signed: [Int]
        var texts: [String?]
        var bytes: [UInt8]
        var real: Double
        var address: ActorAddress
        var inner: [[Bool]]

        init(using random: inout SeededGenerator) {
            numbers = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                .random(in: 0 ... .max, using: &random) >> UInt64.random(in: 0...63, using: &random)
            }
            signed = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                .random(in: .min ... .max, using: &random) >> Int.random(in: 0...63, using: &random)
            }
            texts = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                Bool.random(using: &random) ? nil : String(repeating: "ü", count: Int.random(in: 0...9, using: &random))
            }
            bytes = (0..<Int.random(in: 0...20, using: &random)).map { _ in .random(in: 0...255, using: &random) }
            real = .random(in: -1e9...1e9, using: &random)
            address = ActorAddress(kind: ActorKind(rawValue: 1), key: Snowflake(.random(in: 1...9, using: &random)))
            inner = [[true], [], [false, Bool.random(using: &random)]]
        }

        func encode(to writer: inout WireWriter) {
            writer.value(numbers)
            writer.value(signed)
            writer.record { $0.value(texts) }
            writer.value(bytes)
            writer.value(real)
            writer.value(address)
            writer.value(inner)
        }

        init(from reader: inout WireReader) throws(WireError) {
            numbers = try reader.value()
            signed = try reader.value()
            texts = try reader.record { fields throws(WireError) in try fields.value() }
            bytes = try reader.value()
            real = try reader.value()
            address = try reader.value()
            inner = try reader.value()
        }
    }

    /// Changes, cuts, repeats or invents bytes.
    private func damaged(_ bytes: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        switch Int.random(in: 0...4, using: &random) {
        case 0:
            bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
        case 1:
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
        case 2:
            bytes.insert(.random(in: 0...255, using: &random), at: Int.random(in: 0...bytes.count, using: &random))
        case 3:
            if let position = bytes.indices.randomElement(using: &random) {
                bytes.replaceSubrange(position..., with: [UInt8](repeating: 0xFF, count: 12))
            }
        default:
            bytes = (0..<Int.random(in: 0...64, using: &random)).map { _ in .random(in: 0...255, using: &random) }
        }
        return bytes
    }

    @Test func valuesSurviveAndDamageIsAnError() async throws {
        var random = SeededGenerator(seed: 1)
        var refused = 0
        for await _ in GivingWay(0..<FuzzBudget.inputs / 2) {
            let value = Everything(using: &random)
            let bytes = value.encoded()
            try #require(try Everything(decoding: bytes) == value)
            do {
                let read = try Everything(decoding: damaged(bytes, using: &random))
                // What was accepted has one encoding, except for the bit patterns of numbers that are not equal to themselves
                // and fields that a record hides.
                _ = read.encoded()
            } catch {
                refused += 1
            }
        }
        #expect(refused > FuzzBudget.inputs / 10)
    }

    @Test func framesAreReadOrRefused() async {
        var random = SeededGenerator(seed: 2)
        var refused = 0
        for await _ in GivingWay(0..<FuzzBudget.inputs / 2) {
            var writer = WireWriter()
            switch Int.random(in: 0...3, using: &random) {
            case 0:
                ClusterFrame.call(
                    .init(
                        reference: .init(loop: 1, token: .random(in: 0 ... .max, using: &random)),
                        address: .counter(.random(in: 1...9, using: &random)), timeout: 5_000,
                        method: Bool.random(using: &random) ? .number(4) : .name("$s4Test"))
                ).encode(to: &writer)
            case 1:
                ClusterFrame.reply(
                    .init(
                        reference: .init(loop: 0, token: 3),
                        outcome: .redirect(node: NodeID(rawValue: 3), epoch: .random(in: 0...99, using: &random)))
                ).encode(to: &writer)
            case 2:
                ClusterFrame.reply(.init(reference: .init(loop: 0, token: 3), outcome: .failure(.failed("x")))).encode(
                    to: &writer)
            default:
                ClusterFrame.event(.init(event: 9)).encode(to: &writer)
            }
            do throws(WireError) {
                _ = try ClusterFrame.decode(damaged(writer.bytes, using: &random), speaking: .own)
            } catch {
                refused += 1
            }
        }
        #expect(refused > FuzzBudget.inputs / 20)
    }
}
