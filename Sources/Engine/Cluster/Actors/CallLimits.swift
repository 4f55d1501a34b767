import NIOCore

/// The bounds of the actor system (I8) and what happens at them.
public struct CallLimits: Sendable {
    /// Calls that one loop may wait for; further ones fail with `CallError.overloaded`.
    public var outstandingPerLoop: Int
    /// Calls that may wait for one actor to be made; further ones fail with `CallError.overloaded`.
    public var waitingPerActivation: Int
    /// Calls that may run in one actor without an answer; further ones fail with `CallError.overloaded`.
    public var runningPerActor: Int
    /// Calls that may wait on one loop for an owner that can be reached; further ones fail with `CallError.overloaded`.
    public var stalledPerLoop: Int
    /// The size of their arguments, bytes; a call beyond it fails with `CallError.overloaded`.
    public var stalledBytesPerLoop: Int
    /// How long a call may wait so, from when it first has to; then it fails with `CallError.notOwner`, or with
    /// `CallError.unreachable` when an earlier try may have run.
    public var stallTime: TimeAmount
    /// How long an actor stays without a call.
    public var idleTime: TimeAmount

    /// Bounds for a node; every value has its default.
    public init(
        outstandingPerLoop: Int = 1_000_000, waitingPerActivation: Int = 10_000, runningPerActor: Int = 100_000,
        stalledPerLoop: Int = 20_000, stalledBytesPerLoop: Int = 64 << 20, stallTime: TimeAmount = .seconds(30),
        idleTime: TimeAmount = .minutes(10)
    ) {
        self.outstandingPerLoop = outstandingPerLoop
        self.waitingPerActivation = waitingPerActivation
        self.runningPerActor = runningPerActor
        self.stalledPerLoop = stalledPerLoop
        self.stalledBytesPerLoop = stalledBytesPerLoop
        self.stallTime = stallTime
        self.idleTime = idleTime
    }
}
