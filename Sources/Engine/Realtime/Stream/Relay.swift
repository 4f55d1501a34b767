/// A node's copy of one stream (design 2): which of its loops have subscribers, and the newest events for sessions that
/// move between loops. A value without I/O; `RelayHub` performs what it says.
struct Relay {
    /// The last event taken in.
    private(set) var position: StreamPosition
    private(set) var ring: EventRing
    /// Bit i is set if loop i has subscribers.
    private(set) var loops: UInt64 = 0
    /// When the last loop left, in milliseconds of the hub's clock; nil while some loop is subscribed.
    private(set) var idleSince: UInt64?

    /// What to do with an event that came.
    enum Reception: Equatable {
        /// Pass it on to these loops.
        case deliver(loops: UInt64)
        /// It was here before.
        case duplicate
        /// Events between `position` and this one are missing: register again from `position`.
        case gap
    }

    init(position: StreamPosition, at now: UInt64) {
        self.position = position
        ring = EventRing(start: position)
        idleSince = now
    }

    mutating func receive(_ event: StreamEvent) -> Reception {
        guard event.position > position else { return .duplicate }
        guard event.position.directlyFollows(position) else { return .gap }
        position = event.position
        ring.append(event)
        return .deliver(loops: loops)
    }

    /// The stream's owner was activated and emits from here on; there was nothing between.
    mutating func streamBegan(at position: StreamPosition) {
        guard position != self.position else { return }
        self.position = position
        ring = EventRing(start: position)
    }

    /// Gives back half of what is held.
    mutating func shed() { ring.halve() }

    mutating func subscribe(loop: Int) {
        loops |= 1 << UInt64(loop)
        idleSince = nil
    }

    mutating func unsubscribe(loop: Int, at now: UInt64) {
        loops &= ~(1 << UInt64(loop))
        if loops == 0 { idleSince = now }
    }
}
