import FluxCore
import Foundation

/// Everything that a run says at its end: a table for people or one JSON object, and an exit status.
struct LoadReport {
    let command: String
    let plan: LoadPlan
    let settings: LoadSettings
    let servers: [ServerProcess]
    var steps: [StepResult] = []
    var verdict = LoadVerdict()
    /// Of a load with faults.
    var timeline: Timeline?
    var recoveries: [Recovery] = []

    var isClean: Bool { verdict.violations.isEmpty }

    func write(asJSON: Bool) {
        let text = asJSON ? String(decoding: json.encoded(), as: UTF8.self) : table
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    private var table: String {
        var lines = [
            "\(command): \(plan.title), \(settings.targets.count) node(s), sends over \(settings.route.rawValue)"
        ]
        lines.append(StepTable.text(steps, servers: servers))
        for step in steps {
            if let warning = step.bottleneck(loops: settings.loops) {
                lines.append(
                    "WARNING at \(Format.decimal(step.rate, 0)) msg/s: \(warning); these figures are not the server's.")
            }
        }
        if !recoveries.isEmpty { lines.append(Recovery.table(recoveries)) }
        let counters = verdict.counters
        lines.append(
            "connections lost \(counters.lostConnections), sessions resumed \(counters.resumptions), begun anew "
                + "\(counters.lostSessions); requests failed \(counters.failures), sends repeated \(counters.repeats); events "
                + "taken back \(verdict.retractions + verdict.rolledBack)")
        lines.append(
            "audit: \(verdict.messages) messages in \(plan.channels.count) channels, \(counters.acknowledgements) acknowledged, "
                + "\(verdict.repeats) repeats answered alike, \(verdict.voids) empty numbers")
        if isClean {
            lines.append("No violation.")
        } else {
            lines.append("\(verdict.violations.total) VIOLATIONS")
            for (kind, count) in verdict.violations.counts.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                lines.append("  \(kind.rawValue): \(count)")
                for violation in verdict.violations.kept where violation.kind == kind {
                    lines.append("    \(violation.text)")
                }
            }
        }
        return lines.joined(separator: "\n")
    }

    private var json: JSON {
        let violations = verdict.violations
        return [
            "command": .string(command), "sessions": JSON(plan.people.count), "channels": JSON(plan.channels.count),
            "senders": JSON(plan.senders.count), "nodes": JSON(settings.targets.count),
            "via": .string(settings.route.rawValue), "batch": .bool(settings.isBatched),
            "size": JSON(settings.textSize),
            "steps": .array(steps.map { StepTable.json($0, servers: servers, loops: settings.loops) }),
            "recoveries": .array(recoveries.map(\.json)),
            "counters": StepTable.json(verdict.counters),
            "audit": [
                "messages": JSON(verdict.messages), "empty_numbers": JSON(verdict.voids),
                "repeats_answered": JSON(verdict.repeats), "retractions": JSON(verdict.retractions),
                "rolled_back": JSON(verdict.rolledBack),
            ],
            "violations": .object(
                JSONObject(
                    violations.counts.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                        JSONObject.Member(key: $0.key.rawValue, value: JSON($0.value))
                    })),
            "violation_texts": .array(violations.kept.map { .string($0.description) }),
        ]
    }
}
