#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A moment in UTC with microseconds, as it travels in JSON and lies in Postgres (protocol 3.2).
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Microseconds since 1970-01-01T00:00:00Z, without leap seconds.
    public var microseconds: Int64

    /// The moment so many microseconds after 1970 UTC.
    @inlinable
    public init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// The moment so many milliseconds after 1970 UTC, held to the range that microseconds can express.
    public init(milliseconds: Int64) {
        let (product, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
        microseconds = overflow ? (milliseconds < 0 ? .min : .max) : product
    }

    /// The wall clock of this machine.
    public static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// Whole milliseconds since 1970 UTC, rounded down.
    public var milliseconds: Int64 {
        Self.floorDivide(microseconds, by: 1000).quotient
    }

    /// Whole seconds since 1970 UTC, rounded down.
    public var seconds: Int64 {
        Self.floorDivide(microseconds, by: 1_000_000).quotient
    }

    /// The moment so many seconds later (or earlier), held to the range of the type.
    public func adding(seconds: Int64) -> Timestamp {
        let (delta, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        let (sum, carry) = microseconds.addingReportingOverflow(overflow ? (seconds < 0 ? .min : .max) : delta)
        return Timestamp(microseconds: carry ? (seconds < 0 ? .min : .max) : sum)
    }

    @inlinable
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }

    /// Division that rounds towards minus infinity, so that moments before 1970 fall into the right day.
    static func floorDivide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        var (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        if remainder < 0 {
            quotient -= 1
            remainder += divisor
        }
        return (quotient, remainder)
    }
}
