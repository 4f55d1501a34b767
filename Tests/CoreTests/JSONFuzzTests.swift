import FluxCore
import FluxFuzzing
import Testing

/// No input makes the reader trap or hang, and what it accepts it has understood: writing and reading it again gives the same.
@Suite struct JSONFuzzTests {
    @Test func everyValueSurvivesWritingAndReading() async throws {
        var random = RandomJSON(generator: SeededGenerator(seed: 1))
        for await _ in GivingWay(0..<(FuzzBudget.inputs / 5)) {
            let value = random.value()
            #expect(try JSON.parse(value.encoded()) == value)
        }
    }

    @Test func mutatedDocumentsAreReadOrRefused() async throws {
        var random = RandomJSON(generator: SeededGenerator(seed: 2))
        var generator = SeededGenerator(seed: 3)
        var accepted = 0
        let alphabet = Array("{}[]\",:\\u0123456789eE+-.tfn \u{0}".utf8) + [0xC3, 0xFF, 0xED, 0xA0]
        for await _ in GivingWay(0..<(FuzzBudget.inputs / 2)) {
            var bytes = random.value().encoded()
            for _ in 0..<Int.random(in: 1...3, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = alphabet.randomElement(using: &generator) ?? 0
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(alphabet.randomElement(using: &generator) ?? 0, at: place)
                default: bytes.removeSubrange(place...)
                }
            }
            guard let value = try? JSON.parse(bytes) else { continue }
            accepted += 1
            #expect(try JSON.parse(value.encoded()) == value)
        }
        #expect(accepted > 0)
    }

    @Test func randomBytesAreReadOrRefused() async throws {
        var generator = SeededGenerator(seed: 4)
        let alphabet = Array("{}[]\",:\\u0d89eE+-.truefalsn ".utf8)
        for await round in GivingWay(0..<(FuzzBudget.inputs * 3 / 10)) {
            let bytes = (0..<Int.random(in: 0..<40, using: &generator)).map { _ -> UInt8 in
                round.isMultiple(of: 2)
                    ? UInt8.random(in: .min ... .max, using: &generator)
                    : alphabet.randomElement(using: &generator) ?? 0
            }
            guard let value = try? JSON.parse(bytes) else { continue }
            #expect(try JSON.parse(value.encoded()) == value)
        }
    }
}
