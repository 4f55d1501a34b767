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

    /// Each thread takes the next seed until none is left.
    func run(threads: Int) -> SweepResult {
        let next = Atomic<UInt64>(seeds.lowerBound)
        let result = NIOLockedValueBox(SweepResult(isTraced: isTraced))
        DispatchQueue.concurrentPerform(iterations: max(1, min(threads, seeds.count))) { _ in
            while true {
                let seed = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard seed <= seeds.upperBound else { return }
                let report = SimulationRun.run(seed: seed, configuration, planting: bug, isTraced: isTraced)
                result.withLockedValue { $0.add(report) }
            }
        }
        return result.withLockedValue { result in
            result.explain(configuration, bug)
            return result
        }
    }
}
