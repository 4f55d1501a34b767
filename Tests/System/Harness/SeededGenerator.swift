import Foundation

/// Random numbers that a seed repeats (SplitMix64).
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

/// How much the rounds with faults do, from the environment.
enum Rounds {
    /// `FLUX_ROUNDS`; without it the given number, which suits CI.
    static func count(inCI preset: Int) -> Int { number("FLUX_ROUNDS") ?? preset }

    /// `FLUX_SECONDS`; without it the given number, which suits CI.
    static func seconds(inCI preset: Int) -> Int { number("FLUX_SECONDS") ?? preset }

    /// Whether more was asked for than suits CI: `FLUX_ROUNDS` or `FLUX_SECONDS`.
    static var areLong: Bool { number("FLUX_ROUNDS") != nil || number("FLUX_SECONDS") != nil }

    /// `FLUX_SEED`, to repeat a run; without it a new one every time.
    static func seed() -> UInt64 { number("FLUX_SEED").map { UInt64($0) } ?? UInt64.random(in: 0...UInt64(UInt32.max)) }

    private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }
}
