import Histogram

/// How long things took: an HdrHistogram of microseconds, exact to three digits, up to an hour.
struct Latency: Sendable {
    private var histogram = Histogram<UInt64>(
        lowestDiscernibleValue: 1, highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: .three)

    var count: UInt64 { histogram.totalCount }

    /// Notes a duration in nanoseconds.
    @inline(__always)
    mutating func record(_ nanoseconds: UInt64) {
        histogram.record(min(nanoseconds / 1_000, 3_600_000_000))
    }

    mutating func add(_ other: Latency) { histogram.add(other.histogram) }

    /// Milliseconds at a percentile; nil when nothing was noted.
    func milliseconds(_ percentile: Double) -> Double? {
        count == 0 ? nil : Double(histogram.valueAtPercentile(percentile)) / 1_000
    }

    /// The longest, in milliseconds.
    var maximum: Double? { count == 0 ? nil : Double(histogram.max) / 1_000 }
}
