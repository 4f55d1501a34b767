/// The numbers of slots that change hands (design 5).
public struct SlotKeeperConfiguration: Sendable {
    /// How many slots a node gives away at a time.
    public var handovers = 8
    /// How many a node accepts at a time.
    public var acceptedOffers = 64
    /// How long a slot may be paused until its hand-over is called off.
    public var longestPause: Duration = .milliseconds(500)
    /// How long the successor may take to answer, and the copy before the pause.
    public var longestCopy: Duration = .seconds(10)
    /// A slot whose hand-over failed stays this long.
    public var handoverBackoff: Duration = .seconds(2)
    /// A successor that hears nothing of an accepted offer for this long looks into Postgres.
    public var offerPatience: Duration = .seconds(2)
    /// A node without Postgres is unready, and consents to lose its slots, after this.
    public var databasePatience: Duration = .seconds(2)
    /// How often the consent is repeated until somebody has the slots.
    public var consentInterval: Duration = .milliseconds(500)
    /// How long a heartbeat lives in Postgres, which lets the slots of an owner be taken after that.
    public var heartbeatExpiry: Duration = .seconds(3)
    /// How soon a refused take-over is tried again: at first, and at last.
    public var takeOverRetry: ClosedRange<Duration> = .milliseconds(100) ... .seconds(1)
    /// How soon leases that could not be read are read again.
    public var readRetry: Duration = .milliseconds(200)
    /// A pair of nodes without a link is looked into after this.
    public var linkPatience: Duration = .seconds(5)
    /// A node is in the minority after this. Longer than a heartbeat lives in Postgres, so that the death of the others is
    /// not taken for their absence.
    public var minorityPatience: Duration = .seconds(4)
    /// How often the leases are read anew, and the own ones announced to somebody, in case news was lost.
    public var refreshInterval: Duration = .seconds(10)

    /// The numbers of design 5.
    public init() {}
}
