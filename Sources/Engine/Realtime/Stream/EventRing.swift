import Collections

/// The newest events of a stream, for those that come back after a short absence. Bounded by count and bytes, oldest dropped first.
package struct EventRing {
    package private(set) var events: Deque<StreamEvent> = []
    package private(set) var cost = 0
    /// The position just before the oldest event that is held: from there on nothing is missing.
    package private(set) var start: StreamPosition
    package let maximumCount: Int
    package let maximumCost: Int

    /// - Parameter start: where the stream stands; events are expected from there on.
    package init(start: StreamPosition, maximumCount: Int = 1024, maximumCost: Int = 1 << 20) {
        self.start = start
        self.maximumCount = maximumCount
        self.maximumCost = maximumCost
    }

    package mutating func append(_ event: StreamEvent) {
        events.append(event)
        cost += event.cost
        while events.count > maximumCount || cost > maximumCost { dropOldest() }
    }

    /// Drops the older half to free memory.
    package mutating func halve() {
        for _ in 0..<(events.count + 1) / 2 { dropOldest() }
    }

    private mutating func dropOldest() {
        guard let oldest = events.popFirst() else { return }
        cost -= oldest.cost
        start = oldest.position
    }

    /// The events after `position` in order, or nil if some of them are no longer held.
    package func events(after position: StreamPosition) -> ArraySlice<StreamEvent>? {
        guard position >= start else { return nil }
        // Positions ascend, so the first later one is found by bisection.
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].position <= position { low = middle + 1 } else { high = middle }
        }
        return ArraySlice(events[low...])
    }
}
