import FluxSimulation
import Foundation

/// What came of many seeds.
struct SweepResult {
    private let isTraced: Bool
    private(set) var runs = 0
    private(set) var operations = 0
    private(set) var faults = 0
    private(set) var violations = 0
    /// The seeds that failed, with what was found.
    private(set) var failures: [SimulationRun.Report] = []
    /// What is printed of single seeds.
    private(set) var traces = ""

    /// How many failures are told whole, and how many by what was found first.
    private static let explained = 1
    private static let named = 100

    init(isTraced: Bool) { self.isTraced = isTraced }

    mutating func add(_ report: SimulationRun.Report) {
        runs += 1
        operations += report.operations
        faults += report.faults
        violations += report.violations.count
        if isTraced { traces += report.trace.joined(separator: "\n") + "\n" }
        if !report.violations.isEmpty { failures.append(report) }
    }

    /// Runs the first failure again, with its trace: the seed repeats it. Of the others it is said what was found first.
    mutating func explain(_ configuration: SimulationConfiguration, _ bug: PlantedBug?) {
        failures.sort { $0.seed < $1.seed }
        guard !isTraced else { return }
        for failure in failures.prefix(Self.explained) {
            let report = SimulationRun.run(seed: failure.seed, configuration, planting: bug, isTraced: true)
            traces += "seed \(failure.seed):\n" + report.trace.joined(separator: "\n") + "\n"
        }
        for failure in failures.prefix(Self.named) {
            traces += "seed \(failure.seed) failed: \(failure.violations.first ?? "")\n"
        }
    }

    /// The last line.
    var line: String { "seeds \(runs) operations \(operations) faults \(faults) violations \(violations)" }

    /// The same as JSON, with the seeds that failed.
    var json: String {
        struct Failure: Encodable {
            let seed: UInt64
            let violations: [String]
        }
        struct Document: Encodable {
            let seeds: Int
            let operations: Int
            let faults: Int
            let violations: Int
            let failures: [Failure]
        }
        let document = Document(
            seeds: runs, operations: operations, faults: faults, violations: violations,
            failures: failures.map { Failure(seed: $0.seed, violations: $0.violations) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return (try? encoder.encode(document)).flatMap { String(data: $0, encoding: .utf8) } ?? "{}"
    }
}
