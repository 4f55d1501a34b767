import Collections

/// The dispatches of a session that its client may not have, by sequence number (protocol 7.5). Holds references to the
/// shared bytes; bounded, oldest dropped first.
package struct ReplayRing {
    private var events: Deque<StreamEvent> = []
    /// The sequence number of the newest dispatch; 0 before the first.
    package private(set) var lastSequence: UInt64 = 0
    /// What the held events cost in bytes.
    package private(set) var cost = 0
    package let maximumCount: Int
    package let maximumCost: Int

    /// A dispatch is dropped only when more than `maximumCount` are held or, beyond `maximumCost` bytes, the oldest.
    package init(maximumCount: Int, maximumCost: Int) {
        self.maximumCount = maximumCount
        self.maximumCost = maximumCost
    }

    /// A ring that another node has kept: `events` are the newest, the last one being number `lastSequence`.
    package init(_ events: [StreamEvent], upTo lastSequence: UInt64, maximumCount: Int, maximumCost: Int) {
        self.init(maximumCount: maximumCount, maximumCost: maximumCost)
        self.lastSequence = lastSequence - min(lastSequence, UInt64(events.count))
        for event in events { _ = append(event) }
    }

    /// How many dispatches are held.
    package var count: Int { events.count }

    /// Takes in the next dispatch. - Returns: its sequence number.
    package mutating func append(_ event: StreamEvent) -> UInt64 {
        lastSequence += 1
        events.append(event)
        cost += event.cost
        while events.count > maximumCount || (cost > maximumCost && events.count > 1) { dropOldest() }
        return lastSequence
    }

    /// The client has everything up to `sequence`; numbers that were never given out count as the last one.
    package mutating func acknowledge(_ sequence: UInt64) {
        let kept = Int(clamping: lastSequence - min(sequence, lastSequence))
        while events.count > kept { dropOldest() }
        if events.isEmpty { events = [] }
    }

    /// Drops the oldest dispatch to free memory. - Returns: the bytes freed, 0 if there is none.
    @discardableResult
    package mutating func dropOldest() -> Int {
        guard let oldest = events.popFirst() else { return 0 }
        cost -= oldest.cost
        return oldest.cost
    }

    /// The dispatches after `sequence` with their numbers, oldest first; nil if one of them is no longer held or
    /// `sequence` was never given out.
    package func dispatches(after sequence: UInt64) -> [(sequence: UInt64, event: StreamEvent)]? {
        guard sequence <= lastSequence else { return nil }
        let missing = lastSequence - sequence
        guard missing <= UInt64(events.count) else { return nil }
        let first = events.count - Int(missing)
        return (first..<events.count).map { (lastSequence - UInt64(events.count - 1 - $0), events[$0]) }
    }
}
