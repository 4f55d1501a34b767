import Foundation

/// How much the rounds with faults do, from the environment.
enum Rounds {
    /// `FLUX_ROUNDS`; without it the given number, which suits CI.
    static func count(inCI preset: Int) -> Int { number("FLUX_ROUNDS") ?? preset }

    /// `FLUX_SECONDS`; without it the given number, which suits CI.
    static func seconds(inCI preset: Int) -> Int { number("FLUX_SECONDS") ?? preset }

    /// `FLUX_SEED`, to repeat a run; without it a new one every time.
    static func seed() -> UInt64 { number("FLUX_SEED").map { UInt64($0) } ?? UInt64.random(in: 0...UInt64(UInt32.max)) }

    private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }
}
