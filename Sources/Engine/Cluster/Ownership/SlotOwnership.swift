import FluxCore

/// Which slots a node may act for, each at the epoch of its lease.
///
/// A pure state machine. An epoch only grows: what is reported about an older epoch than the held one has no effect, so a
/// late report cannot take away what was acquired since.
struct SlotOwnership: Sendable {
    private var epochs: [Epoch?] = Array(repeating: nil, count: Slot.count)

    /// The epoch at which the slot is held; nil when it is not.
    func epoch(of slot: Slot) -> Epoch? {
        epochs[Int(slot.rawValue)]
    }

    /// The lease was acquired.
    mutating func gain(_ slot: Slot, epoch: Epoch) {
        let held = epochs[Int(slot.rawValue)] ?? .min
        epochs[Int(slot.rawValue)] = max(held, epoch)
    }

    /// The lease at this epoch, or an earlier one, is gone; whether it was held.
    mutating func lose(_ slot: Slot, epoch: Epoch) -> Bool {
        guard let held = epochs[Int(slot.rawValue)], held <= epoch else { return false }
        epochs[Int(slot.rawValue)] = nil
        return true
    }
}
