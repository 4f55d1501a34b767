/// The bounds of one lane (I8).
public struct LaneLimits: Sendable, Hashable {
    /// Mutations that a lane holds, those under way included. At the bound `append` refuses.
    public var rows: Int = 100_000
    /// Memory that a lane's mutations hold.
    public var bytes: Int = 64 << 20
    /// Nothing is accepted while the oldest mutation is older than this.
    public var age: Duration = .seconds(30)
    /// A mutation that has waited this long and is in no batch under way is withdrawn.
    public var withdrawal: Duration = .seconds(30)
    /// One batch: enough to spread the cost of a commit, few enough that a commit stays within a few milliseconds.
    public var batchRows: Int = 512
    public var batchBytes: Int = 2 << 20
    /// A coalesced value is written at most once in this time.
    public var counterInterval: Duration = .seconds(1)

    public init() {}
}
