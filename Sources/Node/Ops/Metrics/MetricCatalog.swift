/// The metrics of a node: names, units, help texts, buckets. `docs/operations.md` lists the same.
public enum MetricCatalog {
    /// Metrics that modules record through swift-metrics.
    public static let recorded: [MetricDefinition] = [
        MetricDefinition("flux_http_requests_total", .counter, "HTTP requests answered, by status class."),
        MetricDefinition("flux_http_request_seconds", .histogram, "Time from a request's head to its answer's end."),
        MetricDefinition("flux_gateway_connections", .gauge, "Open gateway connections."),
        MetricDefinition("flux_gateway_sessions", .gauge, "Gateway sessions, connected or waiting to be resumed."),
        MetricDefinition("flux_gateway_closes_total", .counter, "Gateway connections closed by the server, by code."),
        MetricDefinition("flux_gateway_connections_opened_total", .counter, "Gateway connections accepted."),
        MetricDefinition("flux_gateway_payloads_received_total", .counter, "Payloads of gateway clients."),
        MetricDefinition("flux_gateway_flushes_total", .counter, "Writes to the sockets of gateway clients."),
        MetricDefinition("flux_gateway_sent_bytes_total", .counter, "Bytes sent to gateway clients."),
        MetricDefinition("flux_gateway_full_sockets_total", .counter, "Writes that found the client's socket full."),
        MetricDefinition(
            "flux_gateway_slow_consumers_total", .counter, "Gateway connections closed because they did not keep up."),
        MetricDefinition("flux_messages_total", .counter, "Messages accepted from clients."),
        MetricDefinition("flux_deliveries_total", .counter, "Events handed to sessions."),
        MetricDefinition("flux_replay_bytes", .gauge, "Bytes kept so that sessions can resume."),
        MetricDefinition("flux_lane_rows", .gauge, "Mutations that wait for their commit."),
        MetricDefinition("flux_lane_age_seconds", .gauge, "Age of the oldest mutation that waits."),
        MetricDefinition(
            "flux_lane_batch_rows", .histogram, "Mutations in a committed batch.",
            buckets: MetricDefinition.countBuckets),
        MetricDefinition("flux_commit_seconds", .histogram, "Time of one batch, from its send to its outcome."),
        MetricDefinition("flux_live_to_final_seconds", .histogram, "Time from an event's broadcast to its commit."),
        MetricDefinition("flux_fencing_refusals_total", .counter, "Batches that the fence refused."),
        MetricDefinition("flux_lane_voids_total", .counter, "Events that could not be committed and were taken back."),
        MetricDefinition("flux_actors", .gauge, "Actors in memory, by kind."),
        eventLoopLag,
    ]

    static let eventLoopLag = MetricDefinition(
        "flux_event_loop_lag_seconds", .histogram, "How much later than asked a timer ran, by event loop.",
        buckets: [0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1])
    static let refusedSeries = MetricDefinition(
        "flux_metrics_refused_series_total", .counter, "Metrics not recorded: too many labels, or a name of two kinds.")
    static let residentMemory = MetricDefinition(
        "process_resident_memory_bytes", .gauge, "Memory of the process that is in RAM.")
    static let processorSeconds = MetricDefinition(
        "process_cpu_seconds_total", .counter, "Processor time used, user and system.")
    static let openFiles = MetricDefinition("process_open_fds", .gauge, "Open file descriptors.")
    static let fileLimit = MetricDefinition("process_max_fds", .gauge, "The most file descriptors allowed.")
    static let startTime = MetricDefinition(
        "process_start_time_seconds", .gauge, "Start of the process, in seconds since 1970.")
    static let threads = MetricDefinition("process_threads", .gauge, "Threads of the process.")

    /// All metrics, also those read at a scrape.
    public static let all =
        recorded + [refusedSeries, residentMemory, processorSeconds, openFiles, fileLimit, startTime, threads]

    /// All of them as a table in Markdown, for `docs/operations.md`.
    public static func table() -> String {
        let rows = all.map { "| `\($0.name)` | \($0.kind.rawValue) | \($0.help) |" }
        return (["| metric | type | meaning |", "| --- | --- | --- |"] + rows).joined(separator: "\n") + "\n"
    }

    private static let known = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    /// The definition of a swift-metrics label. One that is not in the catalog keeps its name, made to fit the format:
    /// counters end in `_total`, timers in `_seconds`.
    static func definition(of label: String, kind: MetricDefinition.Kind) -> MetricDefinition {
        let name = PrometheusText.sanitized(label)
        if let definition = known[name] {
            return MetricDefinition(definition.name, kind, definition.help, buckets: definition.buckets)
        }
        let fitting = kind == .counter && !name.hasSuffix("_total") ? name + "_total" : name
        return MetricDefinition(fitting, kind, fitting.split(separator: "_").joined(separator: " ") + ".")
    }
}
