import Metrics
import NIOCore

/// What the links report, with units in the names.
struct LinkMetrics: Sendable {
    /// The counts of one lane.
    struct Lane: Sendable {
        let sentBytes: Counter
        let sentFrames: Counter
        let writes: Counter
        let receivedBytes: Counter
        let receivedFrames: Counter
        let refusedFrames: Counter
        let roundTrip: Metrics.Timer

        init(_ lane: String) {
            let dimensions = [("lane", lane)]
            sentBytes = Counter(label: "flux_link_sent_bytes_total", dimensions: dimensions)
            sentFrames = Counter(label: "flux_link_sent_frames_total", dimensions: dimensions)
            writes = Counter(label: "flux_link_writes_total", dimensions: dimensions)
            receivedBytes = Counter(label: "flux_link_received_bytes_total", dimensions: dimensions)
            receivedFrames = Counter(label: "flux_link_received_frames_total", dimensions: dimensions)
            refusedFrames = Counter(label: "flux_link_refused_frames_total", dimensions: dimensions)
            roundTrip = Metrics.Timer(label: "flux_link_round_trip_seconds", dimensions: dimensions)
        }
    }

    let control = Lane("control")
    let bulk = Lane("bulk")
    let dials = Counter(label: "flux_link_dials_total")
    let losses = Counter(label: "flux_link_losses_total")
    let links = Gauge(label: "flux_links")

    func lane(_ lane: TransportLane) -> Lane { lane == .control ? control : bulk }

    /// Bytes that wait for a peer.
    func queued(_ byteCount: Int, to peer: NodeID, _ lane: TransportLane) {
        let dimensions = [("peer", peer.description), ("lane", lane == .control ? "control" : "bulk")]
        Gauge(label: "flux_link_queued_bytes", dimensions: dimensions).record(byteCount)
    }

    /// A connection was refused, or ended.
    func refused(_ refusal: LinkRefusal) {
        Counter(label: "flux_link_refusals_total", dimensions: [("reason", refusal.label)]).increment()
    }
}
