import Foundation

/// How many inputs a fuzz test tries: 50,000, or a million with FLUX_FUZZ=full.
enum FuzzBudget {
    static let inputs = ProcessInfo.processInfo.environment["FLUX_FUZZ"] == "full" ? 1_000_000 : 50_000
}
