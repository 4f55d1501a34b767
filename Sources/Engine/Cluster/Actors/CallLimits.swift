import NIOCore

/// The bounds of the actor system (I8) and what happens at them.
public struct CallLimits: Sendable {
    /// Calls that one loop may wait for; further ones fail with `CallError.overloaded`.
    public var outstandingPerLoop: Int
    /// Calls that may wait for one actor to be made; further ones fail with `CallError.overloaded`.
    public var waitingPerActivation: Int
    /// Calls that may run in one actor without an answer; further ones fail with `CallError.overloaded`.
    public var runningPerActor: Int
    /// How long an actor stays without a call.
    public var idleTime: TimeAmount

    /// Bounds for a node; every value has its default.
    public init(
        outstandingPerLoop: Int = 1_000_000, waitingPerActivation: Int = 10_000, runningPerActor: Int = 100_000,
        idleTime: TimeAmount = .minutes(10)
    ) {
        self.outstandingPerLoop = outstandingPerLoop
        self.waitingPerActivation = waitingPerActivation
        self.runningPerActor = runningPerActor
        self.idleTime = idleTime
    }
}
