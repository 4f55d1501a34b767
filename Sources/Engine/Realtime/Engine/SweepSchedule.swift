import FluxCore

/// When a node looks into which of its slots for what waits in the outbox: soon into those that are new to it, into all of
/// them now and then. A value without I/O or clock.
package struct SweepSchedule {
    /// Between two looks into all slots.
    package static let interval: Duration = .seconds(30)

    /// A look that is due.
    package struct Look {
        /// Where to look; may be empty.
        package let slots: [Slot]
        fileprivate let owned: [Slot: Epoch]
        fileprivate let isFull: Bool
    }

    private var swept: [Slot: Epoch] = [:]
    /// When all slots are due; nil: at once.
    private var nextFull: Duration?

    package init() {}

    /// What is due now. - Parameter owned: the slots of this node.
    package func look(into owned: [Slot: Epoch], at now: Duration) -> Look {
        let isFull = nextFull.map { now >= $0 } ?? true
        let wanted = isFull ? owned : owned.filter { swept[$0.key] != $0.value }
        return Look(slots: wanted.keys.sorted(), owned: owned, isFull: isFull)
    }

    /// Everyone for whom something waits there has been told.
    package mutating func succeeded(_ look: Look, at now: Duration) {
        swept = look.owned
        if look.isFull { nextFull = now + Self.interval }
    }
}
