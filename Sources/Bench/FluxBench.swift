import ArgumentParser

/// Flux's tools for load, faults and proofs. A client of what it looks at: but for the simulator, which carries its nodes with
/// it, it can be pointed at anything that speaks the contract.
@main struct FluxBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flux-bench", abstract: "Load, faults and proofs for Flux.",
        subcommands: [FanoutCommand.self, RoomsCommand.self, ChaosCommand.self, SimulateCommand.self])
}
