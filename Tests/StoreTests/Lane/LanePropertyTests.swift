import Foundation
import Testing

@testable import FluxStore

/// Whatever happens in whatever order: each admitted mutation has one outcome, what is told committed is in and nothing
/// else is, numbers go in without holes and in order, nothing of an old epoch gets past the fence, and no memory stays.
struct LanePropertyTests {
    /// `FLUX_SEED=n` runs that seed alone; a failing one is the test's argument.
    private static var seeds: [UInt64] {
        if let seed = ProcessInfo.processInfo.environment["FLUX_SEED"].flatMap(UInt64.init) { return [seed] }
        return Array(1...60)
    }

    @Test(arguments: seeds) func holdsUnderRandomEvents(seed: UInt64) {
        let world = LaneWorld(seed: seed)
        world.run(steps: 4000)
        #expect(world.violations.isEmpty, "FLUX_SEED=\(seed)")
    }

    /// The events above do happen: a run without lost answers or withdrawals would prove little.
    @Test func randomEventsReachEveryCorner() {
        var happened: [String: Int] = [:]
        for seed: UInt64 in 1...10 {
            let world = LaneWorld(seed: seed)
            world.run(steps: 4000)
            happened.merge(world.happened, uniquingKeysWith: +)
        }
        let corners = [
            "acquired", "taken", "admitted", "refused at a bound", "late batch went in", "resolved", "answer lost",
            "refused", "batch lost", "batch late", "failed for the moment", "committed", "withdrawn", "lost",
        ]
        for corner in corners {
            #expect(happened[corner, default: 0] >= 5, "\(corner): \(happened[corner, default: 0])")
        }
    }
}
