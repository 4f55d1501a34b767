import NIOCore

/// 120 payloads a minute and connection (protocol 3.6), counted in windows that begin with their first payload.
///
/// A window rather than a bucket that refills: a library that has sent its 120 and waits for the minute to pass is
/// never refused, and none gets more than 120 in what it takes for one minute.
struct PayloadBudget: Sendable {
    static let payloadsPerWindow = 120
    static let window = TimeAmount.seconds(60)

    private var windowEnd = NIODeadline.uptimeNanoseconds(0)
    private var used = 0

    /// Takes one payload from the budget.
    /// - Returns: false when there is none left in this window.
    mutating func spend(at now: NIODeadline) -> Bool {
        if now >= windowEnd {
            windowEnd = now + Self.window
            used = 0
        }
        used += 1
        return used <= Self.payloadsPerWindow
    }
}
