/// What an engine holds at a moment.
public struct EngineCensus: Sendable {
    public var sessions = 0
    /// Of them, those that wait for their client.
    public var detachedSessions = 0
    /// Writes that wait for room in a lane.
    public var waitingForLanes = 0
    /// Bytes of the events that are held for resumes and relays; shared ones count once.
    public var heldEventBytes = 0
    /// Events handed to sessions since the start.
    public var deliveries: UInt64 = 0
    /// Batches that crossed from a relay to a loop since the start.
    public var batches: UInt64 = 0
    /// Frames with events sent to other nodes since the start.
    public var frames: UInt64 = 0

    public init() {}

    init(_ loop: EngineLoop) {
        sessions = loop.sessions.count
        detachedSessions = loop.sessions.detachedCount
        waitingForLanes = loop.gate.waitingCount
        deliveries = loop.registry.deliveries
        batches = loop.relays.batchesHandedOver
        frames = loop.relays.framesSent
    }

    mutating func add(_ other: EngineCensus) {
        sessions += other.sessions
        detachedSessions += other.detachedSessions
        waitingForLanes += other.waitingForLanes
        deliveries += other.deliveries
        batches += other.batches
        frames += other.frames
    }
}
