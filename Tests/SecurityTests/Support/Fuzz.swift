import Foundation
import Testing

/// A small seeded generator (SplitMix64): the same seed gives the same inputs on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(upTo limit: Int) -> [UInt8] {
        (0..<Int.random(in: 0...limit, using: &self)).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    /// `bytes` with a few of them changed, removed, doubled or cut off.
    mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var mutated = bytes
        for _ in 0..<Int.random(in: 1...4, using: &self) where !mutated.isEmpty {
            let index = Int.random(in: 0..<mutated.count, using: &self)
            switch Int.random(in: 0..<5, using: &self) {
            case 0: mutated[index] = UInt8.random(in: 0...255, using: &self)
            case 1: mutated[index] ^= 1 << UInt8.random(in: 0..<8, using: &self)
            case 2: mutated.remove(at: index)
            case 3: mutated.insert(UInt8.random(in: 0...255, using: &self), at: index)
            default: mutated.removeSubrange(index...)
            }
        }
        return mutated
    }
}

/// How many inputs a fuzz test tries: 50,000, or a million where `FLUX_FUZZ=full`.
enum Fuzz {
    static let inputs = isFull ? 1_000_000 : 50_000

    /// How long a suite that fuzzes may take.
    static let timeLimit = TimeLimitTrait.Duration.minutes(isFull ? 60 : 10)

    private static let isFull = ProcessInfo.processInfo.environment["FLUX_FUZZ"] == "full"
}
