import FluxCluster
import FluxStore
import Metrics

/// What a node's part in the cluster reports, with units in the names.
struct ClusterMetrics: Sendable {
    /// How a pause of a slot ended.
    enum HandoverOutcome: String {
        /// The successor owns it.
        case completed
        /// It goes on here.
        case calledOff = "called_off"
        /// Somebody took it meanwhile.
        case lost
    }

    private let slots = Gauge(label: "flux_slots_owned")
    private let pause = Metrics.Timer(label: "flux_slot_handover_pause_seconds")

    /// Slots that this node owns.
    func owned(_ count: Int) { slots.record(count) }

    /// Slots that this node took from an owner that had lost them.
    func tookOver(_ count: Int, _ reason: LeaseStore.TakeOverReason) {
        Counter(label: "flux_slot_takeovers_total", dimensions: [("reason", reason.rawValue)]).increment(by: count)
    }

    /// A slot's callers have waited so long.
    func handover(_ outcome: HandoverOutcome, paused: Duration) {
        Counter(label: "flux_slot_handovers_total", dimensions: [("outcome", outcome.rawValue)]).increment()
        pause.record(duration: paused)
    }

    /// How many members there are, by how they are held to be.
    func members(_ view: MembershipView) {
        for (health, label) in Self.labels {
            let count = view.members.values.count { $0.health == health }
            Gauge(label: "flux_cluster_members", dimensions: [("state", label)]).record(count)
        }
    }

    private static let labels: [(Health, String)] = [
        (.unheard, "unheard"), (.alive, "alive"), (.suspect, "suspect"), (.dead, "dead"), (.left, "left"),
    ]
}
