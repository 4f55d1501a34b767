import Foundation

/// How many inputs a fuzz test tries: 50,000, or a million with FLUX_FUZZ=full.
public enum FuzzBudget {
    public static let isFull = ProcessInfo.processInfo.environment["FLUX_FUZZ"] == "full"
    public static let inputs = isFull ? 1_000_000 : 50_000
}
