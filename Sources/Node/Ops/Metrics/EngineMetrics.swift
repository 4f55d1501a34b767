import FluxRealtime
import NIOConcurrencyHelpers

/// What the engine counts, as metrics. Its census is taken on the event loops, so it is asked for before a scrape and
/// written in it.
final class EngineMetrics: Sendable {
    private struct State {
        var realtime: Realtime?
        var census = EngineCensus()
    }

    private let readiness: Readiness
    private let state = NIOLockedValueBox(State())

    init(readiness: Readiness) {
        self.readiness = readiness
    }

    /// The engine has started, or (nil) has stopped.
    func observe(_ realtime: Realtime?) {
        state.withLockedValue { $0.realtime = realtime }
    }

    /// Takes a new census.
    func refresh() async {
        guard let realtime = state.withLockedValue(\.realtime) else { return }
        let census = await realtime.census()
        state.withLockedValue { $0.census = census }
    }

    /// Writes the families.
    func collect(into text: inout PrometheusText) {
        text.single(MetricCatalog.ready, readiness.isReady ? 1 : 0)
        let (realtime, census) = state.withLockedValue { ($0.realtime, $0.census) }
        guard let realtime else { return }
        let counts = realtime.measurements
        text.single(MetricCatalog.messages, Double(counts.messagesIn))
        text.single(MetricCatalog.events, Double(counts.eventsPublished))
        text.single(MetricCatalog.encodedBodies, Double(counts.bodiesEncoded))
        text.single(MetricCatalog.deliveries, Double(census.deliveries))
        text.single(MetricCatalog.sessions, Double(census.sessions))
        text.single(MetricCatalog.detachedSessions, Double(census.detachedSessions))
        text.single(MetricCatalog.waitingWrites, Double(census.waitingForLanes))
        text.single(MetricCatalog.replayBytes, Double(census.heldEventBytes))
    }
}
