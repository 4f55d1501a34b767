/// What is known of a metric by its name: what it counts, and into which buckets.
public struct MetricDefinition: Sendable, Equatable {
    /// Prometheus's types.
    public enum Kind: String, Sendable {
        /// Only grows. Its name ends in `_total`.
        case counter
        /// Goes up and down.
        case gauge
        /// A distribution over fixed buckets.
        case histogram
    }

    /// The name with its unit, `flux_commit_seconds`.
    public let name: String
    /// Its type.
    public let kind: Kind
    /// One sentence for people.
    public let help: String
    /// Upper bounds of a histogram's buckets, growing; empty for the other kinds.
    public let buckets: [Double]

    /// A definition. Buckets are ignored where the kind has none.
    public init(_ name: String, _ kind: Kind, _ help: String, buckets: [Double] = Self.secondsBuckets) {
        self.name = name
        self.kind = kind
        self.help = help
        self.buckets = kind == .histogram ? buckets : []
    }

    /// From half a millisecond to half a minute, for commits, requests and everything that people wait for.
    public static let secondsBuckets: [Double] = [
        0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30,
    ]
    /// Powers of two, for numbers of things in a batch.
    public static let countBuckets: [Double] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096]
}
