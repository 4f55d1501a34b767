import Foundation

/// How many inputs a fuzz test tries: 50,000, or a million with FLUX_FUZZ=full.
enum FuzzBudget {
    static let inputs = ProcessInfo.processInfo.environment["FLUX_FUZZ"] == "full" ? 1_000_000 : 50_000
}

/// SplitMix64: the same numbers for the same seed, so that a failing input can be made again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension [UInt8] {
    /// Changes up to three places: replaces, removes, inserts, doubles or cuts.
    mutating func mutate(alphabet: [UInt8], using generator: inout SeededGenerator) {
        for _ in 0..<Int.random(in: 1...3, using: &generator) where !isEmpty {
            let place = Int.random(in: 0..<count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: self[place] = alphabet.randomElement(using: &generator) ?? 0
            case 1: self[place] = UInt8.random(in: .min ... .max, using: &generator)
            case 2: remove(at: place)
            case 3: insert(alphabet.randomElement(using: &generator) ?? 0, at: place)
            case 4: insert(contentsOf: self[place..<Swift.min(count, place + 16)], at: place)
            default: removeSubrange(place...)
            }
        }
    }
}
