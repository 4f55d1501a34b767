import Metrics
import Synchronization

/// Counts what crosses between loops. Readable from any thread.
final class LoopCounters: Sendable {
    private let hopCount = Atomic<Int>(0)
    private let refusalCount = Atomic<Int>(0)
    private let hopMetric = Counter(label: "flux_loop_hops_total")
    private let workMetric = Counter(label: "flux_loop_posted_total")
    private let refusalMetric = Counter(label: "flux_loop_refusals_total")

    var hops: Int { hopCount.load(ordering: .relaxed) }
    var refusals: Int { refusalCount.load(ordering: .relaxed) }

    func crossed(carrying count: Int) {
        hopCount.wrappingAdd(1, ordering: .relaxed)
        hopMetric.increment()
        workMetric.increment(by: count)
    }

    func refused() {
        refusalCount.wrappingAdd(1, ordering: .relaxed)
        refusalMetric.increment()
    }
}
