/// Bounds of sessions.
public struct SessionLimits: Sendable {
    /// How long a session waits for its client, in milliseconds.
    public var resumeMilliseconds: UInt64 = 120_000
    /// When the user of a session that waits counts as offline, in milliseconds.
    public var offlineMilliseconds: UInt64 = 15_000
    /// How long a session that has come from another node waits there for that node's relays, in milliseconds.
    public var settlingMilliseconds = SessionClaim.settling
    /// How many dispatches are kept for a resume, at most.
    public var replayEvents = 4096
    /// How many bytes of dispatches are kept for a resume, at most.
    public var replayBytes = 8 << 20
    /// How many bytes of events the whole node may hold; beyond, the oldest of the waiting sessions go first.
    public var heldEventBytes = 512 << 20
    /// How many sessions may be opening at a time on one loop; the others wait their turn (design 8, storms).
    public var concurrentOpenings = 64
    /// How many sessions may wait for their turn on one loop; beyond, clients are told to come back.
    public var waitingOpenings = 20_000

    public init() {}
}
