import CoreMetrics
import NIOCore
import NIOPosix
import Testing

@testable import FluxOps

@Suite("Metrics in Prometheus's text format")
struct MetricsRegistryTests {
    @Test("A counter, a gauge and a histogram, with help, type and labels")
    func families() {
        let registry = MetricsRegistry()
        Counter(label: "flux_messages_total", dimensions: [], factory: registry).increment(by: 3)
        Gauge(label: "flux_actors", dimensions: [("kind", "gu\"il\\d\n")], factory: registry).record(2.5)
        let timer = Timer(label: "flux_commit_seconds", dimensions: [("lane", "0")], factory: registry)
        timer.recordNanoseconds(1_500_000)
        timer.recordNanoseconds(60_000_000_000)
        let text = registry.render()
        #expect(
            text.contains(
                "# HELP flux_messages_total Messages accepted from clients.\n# TYPE flux_messages_total counter\nflux_messages_total 3\n"
            ))
        #expect(text.contains("# TYPE flux_actors gauge\nflux_actors{kind=\"gu\\\"il\\\\d\\n\"} 2.5\n"))
        #expect(text.contains("flux_commit_seconds_bucket{lane=\"0\",le=\"0.001\"} 0\n"))
        #expect(text.contains("flux_commit_seconds_bucket{lane=\"0\",le=\"0.002\"} 1\n"))
        #expect(text.contains("flux_commit_seconds_bucket{lane=\"0\",le=\"30\"} 1\n"))
        #expect(text.contains("flux_commit_seconds_bucket{lane=\"0\",le=\"+Inf\"} 2\n"))
        #expect(text.contains("flux_commit_seconds_sum{lane=\"0\"} 60.0015\nflux_commit_seconds_count{lane=\"0\"} 2\n"))
    }

    @Test("The same name and labels are one series, in whatever order the labels come")
    func identity() {
        let registry = MetricsRegistry()
        Counter(label: "a_total", dimensions: [("x", "1"), ("y", "2")], factory: registry).increment()
        Counter(label: "a_total", dimensions: [("y", "2"), ("x", "1")], factory: registry).increment()
        #expect(registry.render().contains("a_total{x=\"1\",y=\"2\"} 2\n"))
    }

    @Test("Names of other libraries are made to fit")
    func names() {
        let registry = MetricsRegistry()
        Counter(label: "hb.requests", dimensions: [], factory: registry).increment()
        Counter(label: "9lives", dimensions: [], factory: registry).increment()
        let text = registry.render()
        #expect(text.contains("\nhb_requests_total 1\n"))
        #expect(text.contains("\n_9lives_total 1\n"))
    }

    @Test("A name of another kind and labels beyond the limit are refused and counted")
    func bounds() {
        let registry = MetricsRegistry()
        Counter(label: "b_total", dimensions: [], factory: registry).increment()
        Gauge(label: "b_total", dimensions: [], factory: registry).record(1)
        for index in 0..<(MetricsRegistry.seriesLimit + 5) {
            Gauge(label: "c", dimensions: [("i", String(index))], factory: registry).record(1)
        }
        let text = registry.render()
        #expect(text.contains("\nflux_metrics_refused_series_total 6\n"))
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("c{") }.count == MetricsRegistry.seriesLimit)
    }

    @Test("A destroyed series is gone")
    func destroy() {
        let registry = MetricsRegistry()
        let counter = Counter(label: "d_total", dimensions: [], factory: registry)
        counter.increment()
        counter.destroy()
        #expect(!registry.render().contains("d_total"))
    }

    @Test("Nothing is lost when many record at once")
    func concurrency() async {
        let registry = MetricsRegistry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = Counter(label: "e_total", dimensions: [], factory: registry)
                    let sum = FloatingPointCounter(label: "f_total", dimensions: [], factory: registry)
                    let recorder = Recorder(label: "g", dimensions: [], aggregate: true, factory: registry)
                    for _ in 0..<1_000 {
                        counter.increment()
                        sum.increment(by: 0.5)
                        recorder.record(1)
                    }
                }
            }
        }
        let text = registry.render()
        #expect(text.contains("\ne_total 8000\n"))
        #expect(text.contains("\nf_total 4000\n"))
        #expect(text.contains("\ng_count 8000\n"))
        #expect(text.contains("\ng_sum 8000\n"))
    }

    @Test("Every line is a comment or a sample, every family is begun once")
    func grammar() throws {
        let registry = MetricsRegistry()
        let process = ProcessMetrics()
        registry.addCollector { process.collect(into: &$0) }
        Recorder(label: "h", dimensions: [("a", "b")], aggregate: true, factory: registry).record(0.1)
        let sample = /[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? (\+Inf|[-+.e0-9]+)/
        var begun: Set<Substring> = []
        for line in registry.render().split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                #expect(begun.insert(line).inserted)
            } else if !line.hasPrefix("# HELP ") {
                #expect(line.wholeMatch(of: sample) != nil, "\(line)")
            }
        }
        #expect(begun.contains("# TYPE process_cpu_seconds_total counter"))
    }

    @Test("Counters of the catalog end in _total, histograms have growing buckets")
    func catalog() {
        for metric in MetricCatalog.all {
            #expect((metric.kind == .counter) == metric.name.hasSuffix("_total"))
            #expect(metric.buckets == metric.buckets.sorted())
            #expect((metric.kind == .histogram) == !metric.buckets.isEmpty)
        }
        #expect(Set(MetricCatalog.all.map(\.name)).count == MetricCatalog.all.count)
    }

    @Test("Each loop's lag is measured")
    func lag() async throws {
        let registry = MetricsRegistry()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let lag = EventLoopLag(group: group, factory: registry)
        while [0, 1].contains(where: {
            !registry.render().contains("flux_event_loop_lag_seconds_bucket{loop=\"\($0)\",le=\"+Inf\"} 1")
        }) {
            await Task.yield()
        }
        lag.cancel()
        try await group.shutdownGracefully()
    }
}
