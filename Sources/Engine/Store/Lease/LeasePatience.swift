/// How long Postgres waits for heartbeats before it lets a node's slots go (design 5).
public struct LeasePatience: Sendable {
    /// A heartbeat that is older says that its node is dead.
    public var expiry: Duration
    /// A node whose own heartbeats had a gap of more than this was away itself: what it sees of others counts from its
    /// return. Heartbeats come every second, so another's may be a second older than one's own: this and a second are
    /// less than `expiry`.
    public var longestGap: Duration

    /// The times of design 5.
    public init(expiry: Duration = .seconds(3), longestGap: Duration = .milliseconds(1500)) {
        self.expiry = expiry
        self.longestGap = longestGap
    }

    var expiryMilliseconds: Int64 { LeasePatience.milliseconds(expiry) }
    var breakMilliseconds: Int64 { LeasePatience.milliseconds(longestGap) }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
    }
}
