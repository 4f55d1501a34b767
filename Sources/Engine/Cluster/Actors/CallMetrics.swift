import Metrics

/// What the actor system reports: how actors come and go, and how calls fail in the system.
struct CallMetrics: Sendable {
    let activations = Counter(label: "flux_actor_activations_total")
    let activationFailures = Counter(label: "flux_actor_activation_failures_total")
    let passivations = Counter(label: "flux_actor_passivations_total")
    let timeouts = Counter(label: "flux_call_timeouts_total")
    let refusals = Counter(label: "flux_call_overloads_total")
    let stalled = Counter(label: "flux_call_stalls_total")
    let redirections = Counter(label: "flux_call_redirections_total")
    let repetitions = Counter(label: "flux_call_repetitions_total")
}
