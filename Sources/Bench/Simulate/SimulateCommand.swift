import ArgumentParser
import FluxSimulation
import Foundation

/// `flux-bench sim`: whole clusters on virtual time, with faults, each from a seed.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sim", abstract: "Run whole clusters on virtual time with faults, and check what must always hold."
    )

    @Option(help: "How many seeds to run.") var seeds = 100
    @Option(help: "How many nodes each cluster has.") var nodes = 5
    @Option(help: "For how many virtual seconds clients work and faults happen.") var seconds = 60
    @Option(help: "How many guilds of two channels there are.") var guilds = SimulationConfiguration().guilds
    @Option(help: "How many clients, each of which is in every guild.") var clients = SimulationConfiguration().clients
    @Option(help: "The mean time between two faults, in seconds.")
    var faultInterval = SimulationConfiguration().faultInterval
    @Option(help: "Run this seed alone.") var seed: UInt64?
    @Option(help: "The first of the seeds.") var from: UInt64 = 1
    @Option(help: "How many threads run seeds; as many as there are processors when 0.") var threads = 0
    @Option(
        help: "Plant a mistake that has to be found: \(PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")).")
    var plant: PlantedBug?
    @Flag(help: "Print what happens, event by event.") var trace = false
    @Flag(help: "Print the result as JSON.") var json = false

    func validate() throws {
        guard seeds >= 1, (1...64).contains(nodes), (1...3_600).contains(seconds), (0...256).contains(threads) else {
            throw ValidationError("there must be at least one seed, 1 to 64 nodes, and 1 to 3600 seconds")
        }
        guard (1...64).contains(guilds), (1...256).contains(clients), (0.1...3_600).contains(faultInterval) else {
            throw ValidationError(
                "there must be 1 to 64 guilds, 1 to 256 clients, and 0.1 to 3600 seconds between faults")
        }
    }

    func run() throws {
        var configuration = SimulationConfiguration()
        configuration.nodes = nodes
        configuration.seconds = seconds
        configuration.guilds = guilds
        configuration.clients = clients
        configuration.faultInterval = faultInterval
        let seeds = seed.map { $0...$0 } ?? from...(from + UInt64(self.seeds) - 1)
        let sweep = SeedSweep(seeds: seeds, configuration: configuration, bug: plant, isTraced: trace)
        let result = sweep.run(threads: threads == 0 ? ProcessInfo.processInfo.activeProcessorCount : threads)
        if trace || !result.failures.isEmpty, !json { print(result.traces, terminator: "") }
        print(json ? result.json : result.line)
        if result.violations > 0 { throw ExitCode.failure }
    }
}

extension PlantedBug: ExpressibleByArgument {}
