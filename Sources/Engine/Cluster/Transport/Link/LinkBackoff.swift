import NIOCore

/// How long to wait before a node is dialled again.
///
/// Twice as long after each failure, up to a bound, of which a random half is taken off, so that nodes that lost each other at
/// one moment do not come back at one moment.
public struct LinkBackoff: Sendable {
    /// The wait after the first failure.
    public var first: TimeAmount
    /// The longest wait.
    public var longest: TimeAmount

    /// 50 ms to 5 s unless told otherwise.
    public init(first: TimeAmount = .milliseconds(50), longest: TimeAmount = .seconds(5)) {
        self.first = first
        self.longest = longest
    }

    /// The wait after so many failures in a row; `random` from 0 to 1.
    func delay(failures: Int, random: Double) -> TimeAmount {
        let doubled = first.nanoseconds.multipliedReportingOverflow(by: 1 << Int64(min(max(failures, 0), 30)))
        let wait = doubled.overflow ? longest.nanoseconds : min(doubled.partialValue, longest.nanoseconds)
        return .nanoseconds(Int64(Double(wait) * (1 - min(max(random, 0), 1) / 2)))
    }
}
