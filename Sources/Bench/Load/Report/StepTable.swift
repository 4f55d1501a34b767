import FluxCore

/// The steps of a run, as rows.
enum StepTable {
    static func text(_ steps: [StepResult], servers: [ServerProcess]) -> String {
        var head = [
            "msg/s", "sent", "acked", "failed", "deliveries", "deliv/s", "p50 ms", "p99", "p99.9", "max", "ack p50",
            "ack p99",
            "behind",
        ]
        if !servers.isEmpty { head.append("µs/delivery") }
        head.append("own cores")
        let rows = steps.map { step in
            let (delivery, answer) = (step.measurement.delivery, step.measurement.acknowledgement)
            var row = [
                Format.decimal(step.rate, 0), "\(step.counters.sends)", "\(step.counters.acknowledgements)",
                "\(step.counters.failures)", "\(step.counters.deliveries)", Format.decimal(step.deliveriesPerSecond, 0),
                Format.decimal(delivery.milliseconds(50)), Format.decimal(delivery.milliseconds(99)),
                Format.decimal(delivery.milliseconds(99.9)), Format.decimal(delivery.maximum),
                Format.decimal(answer.milliseconds(50)), Format.decimal(answer.milliseconds(99)), "\(step.behind)",
            ]
            if !servers.isEmpty { row.append(Format.decimal(step.serverMicrosecondsPerDelivery)) }
            row.append(Format.decimal(step.ownCores))
            return row
        }
        return Format.table([head] + rows)
    }

    static func json(_ step: StepResult, servers: [ServerProcess], loops: Int) -> JSON {
        [
            "rate": .number(.double(step.rate)), "seconds": .number(.double(step.seconds)),
            "counters": json(step.counters), "behind": JSON(step.behind),
            "deliveries_per_second": .number(.double(step.deliveriesPerSecond)),
            "delivery_ms": json(step.measurement.delivery),
            "acknowledgement_ms": json(step.measurement.acknowledgement),
            "lateness_ms": json(step.measurement.lateness),
            "server_cpu_us_per_delivery": step.serverMicrosecondsPerDelivery.json,
            "server_cpu_seconds": .object(
                JSONObject(
                    zip(servers, step.servers).map { JSONObject.Member(key: $0.name, value: $1.json) })),
            "generator_cores": .number(.double(step.ownCores)), "machine_busy_cores": step.busyCores.json,
            "bottleneck": step.bottleneck(loops: loops).map { .string($0) } ?? .null,
        ]
    }

    static func json(_ counters: LoadCounters) -> JSON {
        [
            "sends": JSON(counters.sends), "acknowledgements": JSON(counters.acknowledgements),
            "failures": JSON(counters.failures), "repeats": JSON(counters.repeats),
            "repeats_answered": JSON(counters.repeatsAnswered), "deliveries": JSON(counters.deliveries),
            "dispatches": JSON(counters.dispatches), "parsed_bodies": JSON(counters.parsedBodies),
            "lost_connections": JSON(counters.lostConnections), "resumptions": JSON(counters.resumptions),
            "lost_sessions": JSON(counters.lostSessions),
        ]
    }

    private static func json(_ latency: Latency) -> JSON {
        [
            "count": JSON(Int(clamping: latency.count)), "p50": latency.milliseconds(50).json,
            "p90": latency.milliseconds(90).json, "p99": latency.milliseconds(99).json,
            "p99_9": latency.milliseconds(99.9).json, "max": latency.maximum.json,
        ]
    }
}

extension Double? {
    /// The number, or null.
    var json: JSON { map { .number(.double($0)) } ?? .null }
}
