import FluxCluster
import Testing

@testable import FluxSimulation

/// That the simulator's check of I10 sees what it is there for.
@Suite struct MixedWireTests {
    /// A number in a record, as a build should write it.
    private struct Sound: WireCodable, Equatable {
        var number: UInt64

        init(number: UInt64) { self.number = number }

        func encode(to writer: inout WireWriter) { writer.record { $0.unsigned(number) } }

        init(from reader: inout WireReader) throws(WireError) {
            number = try reader.record { fields throws(WireError) in try fields.unsigned() }
        }
    }

    /// Two numbers, read in the order in which they were not written.
    private struct Crossed: WireCodable, Equatable {
        var first: UInt64
        var second: UInt64

        init(first: UInt64, second: UInt64) { (self.first, self.second) = (first, second) }

        func encode(to writer: inout WireWriter) {
            writer.unsigned(first)
            writer.unsigned(second)
        }

        init(from reader: inout WireReader) throws(WireError) {
            second = try reader.unsigned()
            first = try reader.unsigned()
        }
    }

    /// One that takes whatever a record ends with for its own.
    private struct Greedy: WireCodable, Equatable {
        var bytes: [UInt8]

        init(bytes: [UInt8]) { self.bytes = bytes }

        func encode(to writer: inout WireWriter) { writer.record { $0.raw(bytes) } }

        init(from reader: inout WireReader) throws(WireError) {
            bytes = try reader.record { fields throws(WireError) in
                var bytes: [UInt8] = []
                while !fields.isAtEnd { bytes.append(try fields.byte()) }
                return bytes
            }
        }
    }

    @Test func whatALaterBuildAddsIsPassedOver() {
        var wire = MixedWire()
        for dialect in [WireDialect.own, .next] {
            #expect(wire.read(Sound(number: 300), spokenIn: dialect).number == 300)
        }
        #expect(wire.misreadings == [])
    }

    @Test func whoeverTakesItForTheirOwnIsFound() {
        var wire = MixedWire()
        #expect(wire.read(Greedy(bytes: [1, 2]), spokenIn: .own).bytes == [1, 2])
        #expect(wire.misreadings == [])
        #expect(wire.read(Greedy(bytes: [1, 2]), spokenIn: .next).bytes == [1, 2])
        #expect(wire.takeMisreadings() == ["a Greedy was read as something else"])
        #expect(wire.misreadings == [])
    }

    @Test func whoeverMixesTwoFieldsUpIsFound() {
        var wire = MixedWire()
        _ = wire.read(Crossed(first: 1, second: 2), spokenIn: .own)
        #expect(wire.takeMisreadings() == ["a Crossed was read as something else"])
    }

    @Test func messagesAreCarriedEveryNowAndThen() {
        var wire = MixedWire()
        for _ in 0..<1_000 { _ = wire.carry(Greedy(bytes: []), from: NodeID(rawValue: 2)!) }
        #expect((1...100).contains(wire.misreadings.count))
        var other = MixedWire()
        for _ in 0..<1_000 { _ = other.carry(Greedy(bytes: []), from: NodeID(rawValue: 3)!) }
        #expect(other.misreadings == [])
    }
}
