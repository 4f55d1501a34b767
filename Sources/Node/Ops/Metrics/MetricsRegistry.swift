import CoreMetrics
import NIOConcurrencyHelpers

/// The node's metrics: a swift-metrics backend that renders Prometheus's text format.
///
/// Recording costs an atomic addition or one lock that threads rarely share; names, help texts and buckets come from
/// ``MetricCatalog``. A family holds at most ``seriesLimit`` sets of labels; what exceeds it is counted in
/// `flux_metrics_refused_series_total` and otherwise dropped, so that no label can eat the memory.
public final class MetricsRegistry: MetricsFactory {
    /// The most sets of labels of one name.
    public static let seriesLimit = 1_000

    /// Labels in the order of their names, so that equal sets are equal.
    private struct Labels: Hashable, Comparable {
        let names: [String]
        let values: [String]

        init(_ dimensions: [(String, String)]) {
            let sorted = dimensions.sorted { $0.0 < $1.0 }
            names = sorted.map { PrometheusText.sanitized($0.0) }
            values = sorted.map(\.1)
        }

        var pairs: [(String, String)] { Array(zip(names, values)) }

        static func < (left: Self, right: Self) -> Bool {
            left.values.lexicographicallyPrecedes(right.values)
        }
    }

    private enum Series {
        case counter(CounterSeries)
        case number(NumberSeries)
        case histogram(HistogramSeries)

        var handler: AnyObject {
            switch self {
            case .counter(let series): series
            case .number(let series): series
            case .histogram(let series): series
            }
        }
    }

    private struct Family {
        let definition: MetricDefinition
        var series: [Labels: Series] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        var collectors: [@Sendable (inout PrometheusText) -> Void] = []
        var refused = 0.0
    }

    private let state = NIOLockedValueBox(State())

    /// An empty registry.
    public init() {}

    /// Adds a source that is asked at every scrape. It must not block.
    public func addCollector(_ collect: @escaping @Sendable (inout PrometheusText) -> Void) {
        state.withLockedValue { $0.collectors.append(collect) }
    }

    /// Everything, families in the order of their names.
    public func render() -> String {
        let (families, collectors, refused) = state.withLockedValue { ($0.families, $0.collectors, $0.refused) }
        var text = PrometheusText()
        for (_, family) in families.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
            text.begin(family.definition)
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                let name = family.definition.name
                switch series {
                case .counter(let counter): text.sample(name, labels: labels.pairs, counter.value)
                case .number(let number): text.sample(name, labels: labels.pairs, number.value)
                case .histogram(let histogram):
                    text.histogram(name, labels: labels.pairs, bounds: histogram.bounds, histogram.snapshot())
                }
            }
        }
        text.single(MetricCatalog.refusedSeries, refused)
        for collect in collectors {
            collect(&text)
        }
        return text.text
    }

    /// The series of a name and labels, made at first use. A name keeps the kind of its first use; another kind, or
    /// one set of labels too many, gets nil.
    private func series(
        _ label: String, _ kind: MetricDefinition.Kind, _ dimensions: [(String, String)],
        make: (MetricDefinition) -> Series
    ) -> Series? {
        let definition = MetricCatalog.definition(of: label, kind: kind)
        let labels = Labels(dimensions)
        return state.withLockedValue { state in
            var family = state.families[definition.name] ?? Family(definition: definition)
            let isSameKind = family.definition.kind == definition.kind
            if isSameKind, let known = family.series[labels] { return known }
            guard isSameKind, family.series.count < Self.seriesLimit else {
                state.refused += 1
                return nil
            }
            let made = make(definition)
            family.series[labels] = made
            state.families[definition.name] = family
            return made
        }
    }

    private func destroy(_ handler: AnyObject) {
        state.withLockedValue { state in
            state.families = state.families.mapValues { family in
                var kept = family
                kept.series = family.series.filter { $0.value.handler !== handler }
                return kept
            }
        }
    }

    // MARK: MetricsFactory

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        guard
            case .counter(let counter)? = series(label, .counter, dimensions, make: { _ in .counter(CounterSeries()) })
        else { return NOOPMetricsHandler.instance }
        return counter
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        number(label, .counter, dimensions) ?? NOOPMetricsHandler.instance
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        number(label, .gauge, dimensions) ?? NOOPMetricsHandler.instance
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        if aggregate {
            return histogram(label, dimensions) ?? NOOPMetricsHandler.instance
        }
        return number(label, .gauge, dimensions) ?? NOOPMetricsHandler.instance
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(label, dimensions) ?? NOOPMetricsHandler.instance
    }

    public func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { destroy(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { destroy(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { destroy(handler) }

    private func number(
        _ label: String, _ kind: MetricDefinition.Kind, _ dimensions: [(String, String)]
    ) -> NumberSeries? {
        guard case .number(let number)? = series(label, kind, dimensions, make: { _ in .number(NumberSeries()) })
        else { return nil }
        return number
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> HistogramSeries? {
        let made = series(label, .histogram, dimensions, make: { .histogram(HistogramSeries(bounds: $0.buckets)) })
        guard case .histogram(let histogram)? = made else { return nil }
        return histogram
    }
}
