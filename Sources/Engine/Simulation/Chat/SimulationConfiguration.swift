import FluxStore

/// The size of a simulated world.
public struct SimulationConfiguration: Sendable {
    /// How many nodes there are.
    public var nodes = 5
    /// How long clients work and faults happen; then everything is healed and looked through.
    public var seconds = 60
    /// How many guilds, and channels in each.
    public var guilds = 3
    public var channelsPerGuild = 2
    /// How many clients, each of which listens to every guild.
    public var clients = 8
    /// What clients do in a second, all together.
    public var operationsPerSecond = 110.0
    /// The mean time between two faults, in seconds.
    public var faultInterval = 4.0
    /// Nothing but nodes is broken: they die and pause.
    public var onlyNodesFail = false

    /// How many dispatches a session keeps for its client: few, so that some resumes fail.
    var replayEvents = 400
    /// The lanes' bounds: short, so that withdrawals happen within a run.
    var laneLimits: LaneLimits {
        var limits = LaneLimits()
        limits.age = .seconds(6)
        limits.withdrawal = .seconds(6)
        limits.rows = 2_000
        limits.batchRows = 64
        return limits
    }

    /// The sizes that `flux-bench sim` uses.
    public init() {}
}
