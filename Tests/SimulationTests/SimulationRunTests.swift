import FluxSimulation
import Testing

/// Whole clusters with clients, on virtual time (design 9). `flux-bench sim` runs the same worlds by the thousand.
@Suite struct SimulationRunTests {
    /// A small world in which much goes wrong.
    private static let eventful: SimulationConfiguration = {
        var configuration = SimulationConfiguration()
        configuration.nodes = 3
        configuration.seconds = 20
        configuration.guilds = 2
        configuration.clients = 5
        configuration.faultInterval = 2
        return configuration
    }()

    @Test(arguments: 1...6) func whateverFailsNothingThatWasPromisedIsBroken(seed: UInt64) {
        let report = SimulationRun.run(seed: seed, Self.eventful)
        #expect(report.violations == [], "flux-bench sim --seed \(seed) with 3 nodes for 20 seconds")
        #expect(report.operations > 1_500 && report.faults > 0)
    }

    @Test func aSeedRepeatsItsHistoryEventByEvent() {
        let reports = (0..<2).map { _ in SimulationRun.run(seed: 4, Self.eventful, isTraced: true) }
        #expect(reports[0].trace == reports[1].trace)
        #expect(reports[0].digest == reports[1].digest)
        // Whether it is written down or not makes no difference.
        #expect(SimulationRun.run(seed: 4, Self.eventful).digest == reports[0].digest)
        #expect(SimulationRun.run(seed: 5, Self.eventful).digest != reports[0].digest)
    }

    /// The checks see what they are there for: each mistake is found before a thousand seeds are over, by the check of what
    /// it breaks.
    @Test(arguments: PlantedBug.allCases) func aPlantedBugIsFound(bug: PlantedBug) throws {
        let configuration = Self.world(for: bug)
        var found: SimulationRun.Report?
        var seed: UInt64 = 0
        while found == nil, seed < 1_000 {
            seed += 1
            let report = SimulationRun.run(seed: seed, configuration, planting: bug)
            if report.violations.first?.contains(" \(bug.broken): ") == true { found = report }
        }
        let report = try #require(found, "\(bug) was not found in \(seed) seeds")
        let repeated = SimulationRun.run(seed: report.seed, configuration, planting: bug, isTraced: true)
        #expect(repeated.violations == report.violations)
        // It is the mistake that was found, not another one.
        #expect(SimulationRun.run(seed: report.seed, configuration).violations == [])
    }

    private static func world(for bug: PlantedBug) -> SimulationConfiguration {
        switch bug {
        case .votesOfTheDead: deadly
        case .reactionVoidsForgotten: crowded
        default: eventful
        }
    }

    /// An owner that dies between a void and what takes it back has two faults within a few milliseconds.
    private static let crowded: SimulationConfiguration = {
        var configuration = eventful
        configuration.faultInterval = 0.35
        return configuration
    }()

    /// Votes count for something only where a few nodes can outvote the rest, and the dead vote only where many die.
    private static let deadly: SimulationConfiguration = {
        var configuration = SimulationConfiguration()
        configuration.seconds = 30
        configuration.guilds = 1
        configuration.clients = 1
        configuration.operationsPerSecond = 5
        configuration.faultInterval = 1.5
        configuration.onlyNodesFail = true
        return configuration
    }()
}

extension PlantedBug {
    /// The invariant that it breaks (design 3).
    fileprivate var broken: String {
        switch self {
        case .noFencing: "I1"
        case .sequenceRestarts, .deliveredTwiceAfterResume: "I2"
        case .acknowledgedBeforeCommit: "I3"
        case .nonceForgotten: "I4"
        case .noRetraction, .conversationNotRetracted, .reactionVoidsForgotten: "I5"
        case .snapshotBeforeRegistering, .frozenTooEarly, .conversationGapIgnored, .staleUserViewKept: "I6"
        case .accessTakenBeforeConfirmation, .deliveryWithoutLease: "I7"
        case .votesOfTheDead: "I9"
        case .outboxForgotten, .outboxUnswept: "I11"
        }
    }
}
