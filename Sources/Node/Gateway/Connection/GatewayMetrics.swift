import Metrics

/// What the connections of one loop have done since it was last published. Plain numbers: they are counted on the path
/// of every delivery.
struct GatewayCounters {
    var opened = 0
    var closed = 0
    var payloadsReceived = 0
    var deliveries = 0
    var flushes = 0
    var bytesSent = 0
    /// Flushes that found the socket full.
    var fullSockets = 0
    /// Connections closed because their client did not keep up.
    var slowConsumers = 0
    /// Close frames of the server, by their code.
    var closes: [UInt16: Int] = [:]
}

/// The gateway's metrics, with their units in their names. Loops add to the same ones once a second.
struct GatewayMetrics {
    private let connections = Meter(label: "flux_gateway_connections")
    private let opened = Counter(label: "flux_gateway_connections_opened_total")
    private let payloads = Counter(label: "flux_gateway_payloads_received_total")
    private let deliveries = Counter(label: "flux_gateway_deliveries_total")
    private let flushes = Counter(label: "flux_gateway_flushes_total")
    private let bytes = Counter(label: "flux_gateway_sent_bytes_total")
    private let fullSockets = Counter(label: "flux_gateway_full_sockets_total")
    private let slowConsumers = Counter(label: "flux_gateway_slow_consumers_total")

    /// Hands the numbers over and begins again at zero.
    func publish(_ counters: inout GatewayCounters) {
        let change = counters.opened - counters.closed
        if change > 0 { connections.increment(by: Double(change)) }
        if change < 0 { connections.decrement(by: Double(-change)) }
        add(counters.opened, to: opened)
        add(counters.payloadsReceived, to: payloads)
        add(counters.deliveries, to: deliveries)
        add(counters.flushes, to: flushes)
        add(counters.bytesSent, to: bytes)
        add(counters.fullSockets, to: fullSockets)
        add(counters.slowConsumers, to: slowConsumers)
        for (code, count) in counters.closes {
            Counter(label: "flux_gateway_closes_total", dimensions: [("code", String(code))]).increment(by: count)
        }
        counters = GatewayCounters()
    }

    private func add(_ amount: Int, to counter: Counter) {
        if amount > 0 { counter.increment(by: amount) }
    }
}
