import Foundation
import Testing

/// How much fuzz tests do: fifty thousand inputs for each decoder, or a million with `FLUX_FUZZ=full`.
public enum FuzzBudget {
    public static let isFull = ProcessInfo.processInfo.environment["FLUX_FUZZ"] == "full"
    public static let inputs = isFull ? 1_000_000 : 50_000

    /// The seeds of a test that plays whole worlds.
    public static func seeds(_ few: UInt64, full: UInt64) -> ClosedRange<UInt64> { 1...(isFull ? full : few) }

    /// How long a suite that fuzzes may take.
    public static let timeLimit = TimeLimitTrait.Duration.minutes(isFull ? 60 : 10)
}
