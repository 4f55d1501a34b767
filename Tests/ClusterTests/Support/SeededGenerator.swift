import Foundation
import Testing

/// Random numbers that a seed repeats (SplitMix64).
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
}

/// How much fuzz tests do: a million inputs with `FLUX_FUZZ=full`, else fifty thousand.
enum Fuzz {
    static let inputs = isFull ? 1_000_000 : 50_000

    /// The seeds of a test in the simulator.
    static func seeds(_ few: UInt64, full: UInt64) -> ClosedRange<UInt64> { 1...(isFull ? full : few) }

    /// How long a suite that fuzzes may take.
    static let timeLimit = TimeLimitTrait.Duration.minutes(isFull ? 60 : 3)

    private static let isFull = ProcessInfo.processInfo.environment["FLUX_FUZZ"] == "full"
}
