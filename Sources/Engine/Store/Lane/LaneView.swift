import FluxCore

/// What Postgres says of a lane and of its node's leases, read in one transaction that also began a new generation: no
/// batch of an earlier one can commit after it.
public struct LaneView: Sendable, Equatable {
    /// The generation under which the lane may commit from now on.
    public var generation: Int64
    /// The last batch that is in.
    public var batch: Int64
    /// What this incarnation of the node owns.
    public var leases: [Slot: Epoch]

    public init(generation: Int64, batch: Int64, leases: [Slot: Epoch]) {
        self.generation = generation
        self.batch = batch
        self.leases = leases
    }
}
