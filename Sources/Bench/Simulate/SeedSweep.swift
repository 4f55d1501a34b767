import FluxSimulation
import Foundation
import NIOConcurrencyHelpers
import Synchronization

/// Runs many seeds on several threads.
struct SeedSweep {
    let seeds: ClosedRange<UInt64>
    let configuration: SimulationConfiguration
    let bug: PlantedBug?
    let isTraced: Bool

    /// After how many seeds it says how far it is.
    private static let told = 1_000

    /// Each thread takes the next seed until none is left.
    func run(threads: Int) -> SweepResult {
        let next = Atomic<UInt64>(seeds.lowerBound)
        let result = NIOLockedValueBox(SweepResult(isTraced: isTraced))
        DispatchQueue.concurrentPerform(iterations: max(1, min(threads, seeds.count))) { _ in
            while true {
                let seed = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard seed <= seeds.upperBound else { return }
                let report = SimulationRun.run(seed: seed, configuration, planting: bug, isTraced: isTraced)
                let (runs, failures) = result.withLockedValue { result in
                    result.add(report)
                    return (result.runs, result.failures.count)
                }
                if let violation = report.violations.first { tell("seed \(seed) failed: \(violation)") }
                if runs.isMultiple(of: Self.told) { tell("\(runs) of \(seeds.count) seeds, \(failures) failed") }
            }
        }
        return result.withLockedValue { result in
            result.explain(configuration, bug)
            return result
        }
    }

    /// To the standard error, at once: a long run is looked at while it goes on.
    private func tell(_ line: String) { FileHandle.standardError.write(Data("\(line)\n".utf8)) }
}
