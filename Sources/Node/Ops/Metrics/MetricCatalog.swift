/// The metrics of a node: names, units, help texts, buckets. `docs/operations.md` lists the same.
public enum MetricCatalog {
    /// Metrics that modules record through swift-metrics.
    public static let recorded: [MetricDefinition] = [
        MetricDefinition(
            "flux_http_request_seconds", .histogram, "HTTP requests by route, method and class of status."),
        MetricDefinition("flux_http_requests_total", .counter, "HTTP requests that reached the router."),
        MetricDefinition("flux_gateway_connections", .gauge, "Open gateway connections."),
        MetricDefinition("flux_gateway_connections_opened_total", .counter, "Gateway connections since the start."),
        MetricDefinition(
            "flux_gateway_closes_total", .counter, "Gateway connections that the server closed, by close code."),
        MetricDefinition("flux_gateway_payloads_received_total", .counter, "Payloads that clients sent."),
        MetricDefinition("flux_gateway_deliveries_total", .counter, "Payloads written to clients."),
        MetricDefinition("flux_gateway_sent_bytes_total", .counter, "Bytes written to clients."),
        MetricDefinition(
            "flux_gateway_flushes_total", .counter, "Writes to sockets; deliveries per flush tell how well they gather."
        ),
        MetricDefinition("flux_gateway_full_sockets_total", .counter, "Writes that a full socket cut short."),
        MetricDefinition(
            "flux_gateway_slow_consumers_total", .counter, "Connections closed because their client did not read."),
        MetricDefinition("flux_lane_rows", .gauge, "Changes that wait for their commit, by lane."),
        MetricDefinition("flux_lane_bytes", .gauge, "Bytes of the changes that wait, by lane."),
        MetricDefinition("flux_lane_oldest_seconds", .gauge, "Age of the oldest change that waits, by lane."),
        MetricDefinition(
            "flux_lane_batch_rows", .histogram, "Changes in one batch.", buckets: MetricDefinition.countBuckets),
        MetricDefinition("flux_lane_commit_seconds", .histogram, "Time of one batch, from its send to its outcome."),
        MetricDefinition("flux_lane_batches_total", .counter, "Batches that had an outcome."),
        MetricDefinition("flux_lane_committed_rows_total", .counter, "Changes that were committed."),
        MetricDefinition("flux_lane_refused_rows_total", .counter, "Changes that Postgres refused."),
        MetricDefinition(
            "flux_lane_withdrawn_rows_total", .counter, "Changes taken back because they waited too long."),
        MetricDefinition(
            "flux_lane_lost_rows_total", .counter, "Changes dropped because another node owns their slot."),
        MetricDefinition(
            "flux_lane_voids_total", .counter, "Void entries committed in the place of changes taken back."),
        MetricDefinition("flux_lane_fence_refusals_total", .counter, "Batches that the fence refused."),
        MetricDefinition(
            "flux_lane_resolutions_total", .counter, "Times that a batch's fate was read after a lost answer."),
        MetricDefinition("flux_live_to_final_seconds", .histogram, "Time from a message's broadcast to its commit."),
        MetricDefinition("flux_postgres_connections_lost_total", .counter, "Connections to Postgres that broke."),
        MetricDefinition("flux_actor_activations_total", .counter, "Guilds, channels and users brought into memory."),
        MetricDefinition("flux_actor_activation_failures_total", .counter, "Of them, those that failed."),
        MetricDefinition("flux_actor_passivations_total", .counter, "Idle actors let go."),
        MetricDefinition("flux_call_timeouts_total", .counter, "Calls between actors without an answer in time."),
        MetricDefinition("flux_call_overloads_total", .counter, "Calls refused because too many waited."),
        MetricDefinition(
            "flux_call_stalls_total", .counter, "Calls that had to wait because no owner could be reached."),
        MetricDefinition(
            "flux_call_redirections_total", .counter, "Calls that went to a node that had given the slot away."),
        MetricDefinition("flux_call_repetitions_total", .counter, "Calls made again after a lost link or a lost slot."),
        MetricDefinition("flux_links", .gauge, "Links to other nodes that are up."),
        MetricDefinition("flux_link_dials_total", .counter, "Connections dialled to other nodes, two for a link."),
        MetricDefinition("flux_link_losses_total", .counter, "Links that were up and broke or were closed."),
        MetricDefinition(
            "flux_link_refusals_total", .counter, "Connections between nodes refused or ended by this one, by reason."),
        MetricDefinition("flux_link_sent_bytes_total", .counter, "Bytes of frames sent to other nodes, by lane."),
        MetricDefinition("flux_link_sent_frames_total", .counter, "Frames sent to other nodes, by lane."),
        MetricDefinition(
            "flux_link_writes_total", .counter, "Writes they took; frames per write tell how well they gather."),
        MetricDefinition("flux_link_received_bytes_total", .counter, "Bytes of frames of other nodes, by lane."),
        MetricDefinition("flux_link_received_frames_total", .counter, "Frames of other nodes, by lane."),
        MetricDefinition(
            "flux_link_refused_frames_total", .counter, "Frames refused because too much waited for the peer, by lane."),
        MetricDefinition("flux_link_queued_bytes", .gauge, "Bytes that wait for a peer, by peer and lane."),
        MetricDefinition("flux_link_round_trip_seconds", .histogram, "Time from a ping to its answer, by lane."),
        MetricDefinition("flux_cluster_members", .gauge, "Members of the cluster, by how this node holds them to be."),
        MetricDefinition("flux_slots_owned", .gauge, "Slots that this node owns."),
        MetricDefinition(
            "flux_slot_takeovers_total", .counter, "Slots taken from owners that had lost them, by reason."),
        MetricDefinition(
            "flux_slot_handovers_total", .counter, "Planned hand-overs of this node's slots, by outcome."),
        MetricDefinition(
            "flux_slot_handover_pause_seconds", .histogram, "How long a slot's callers waited during a hand-over."),
        MetricDefinition("flux_loop_posted_total", .counter, "Work handed from one event loop to another."),
        MetricDefinition("flux_loop_hops_total", .counter, "Batches in which that work crossed."),
        MetricDefinition("flux_loop_refusals_total", .counter, "Work refused because too much waited for a loop."),
        eventLoopLag,
    ]

    /// Metrics of the engine, which keeps its own counts; read at a scrape.
    static let messages = MetricDefinition("flux_messages_total", .counter, "Messages accepted from clients.")
    static let events = MetricDefinition("flux_events_total", .counter, "Events published into streams.")
    static let encodedBodies = MetricDefinition(
        "flux_encoded_bodies_total", .counter, "Message bodies encoded: one a message, however many receive it.")
    static let deliveries = MetricDefinition("flux_deliveries_total", .counter, "Events handed to sessions.")
    static let sessions = MetricDefinition("flux_sessions", .gauge, "Gateway sessions, connected or not.")
    static let detachedSessions = MetricDefinition(
        "flux_sessions_detached", .gauge, "Of them, those that wait for their client to come back.")
    static let waitingWrites = MetricDefinition(
        "flux_lane_waiting_writes", .gauge, "Writes that wait because their lane is at its bound.")
    static let replayBytes = MetricDefinition(
        "flux_replay_bytes", .gauge, "Bytes of events kept for resumes; shared ones count once.")
    static let ready = MetricDefinition("flux_ready", .gauge, "1 when the node takes traffic, else 0.")

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
        recorded + [
            messages, events, encodedBodies, deliveries, sessions, detachedSessions, waitingWrites, replayBytes, ready,
            refusedSeries, residentMemory, processorSeconds, openFiles, fileLimit, startTime, threads,
        ]

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
