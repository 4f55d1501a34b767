import Metrics

/// A lane's numbers for operators, through swift-metrics.
final class LaneMetrics: Sendable {
    /// What a lane holds.
    struct Load: Sendable {
        var rows: Int
        var bytes: Int
        var oldest: Duration?
    }

    private let rows: Gauge
    private let bytes: Gauge
    private let age: Gauge
    private let batchRows: Recorder
    private let commit: Recorder
    private let outcomes: [(counter: Counter, value: any KeyPath<Lane.Statistics, Int> & Sendable)]
    private let previous = Locked(Lane.Statistics())

    init(lane: Int) {
        let dimensions = [("lane", String(lane))]
        rows = Gauge(label: "flux_lane_rows", dimensions: dimensions)
        bytes = Gauge(label: "flux_lane_bytes", dimensions: dimensions)
        age = Gauge(label: "flux_lane_oldest_seconds", dimensions: dimensions)
        batchRows = Recorder(label: "flux_lane_batch_rows", dimensions: dimensions, aggregate: true)
        commit = Recorder(label: "flux_lane_commit_seconds", dimensions: dimensions, aggregate: true)
        func counter(_ name: String) -> Counter { Counter(label: name, dimensions: dimensions) }
        outcomes = [
            (counter("flux_lane_committed_rows_total"), \.committed),
            (counter("flux_lane_refused_rows_total"), \.refused),
            (counter("flux_lane_withdrawn_rows_total"), \.withdrawn),
            (counter("flux_lane_lost_rows_total"), \.lost),
            (counter("flux_lane_voids_total"), \.voids),
            (counter("flux_lane_batches_total"), \.batches),
            (counter("flux_lane_fence_refusals_total"), \.fenceRefusals),
            (counter("flux_lane_resolutions_total"), \.resolutions),
        ]
    }

    func record(_ statistics: Lane.Statistics, _ load: Load, at now: Duration) {
        rows.record(load.rows)
        bytes.record(load.bytes)
        age.record(load.oldest.map { (now - $0).seconds } ?? 0)
        let before = previous.withLock { previous in
            defer { previous = statistics }
            return previous
        }
        guard statistics != before else { return }
        for (counter, value) in outcomes {
            let growth = statistics[keyPath: value] - before[keyPath: value]
            if growth > 0 { counter.increment(by: growth) }
        }
    }

    func recordCommit(rows: Int, took duration: Duration) {
        batchRows.record(rows)
        commit.record(duration.seconds)
    }
}

extension Duration {
    /// The duration in seconds, with fractions.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
