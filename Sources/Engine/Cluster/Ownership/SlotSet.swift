import FluxCore

/// Some of the slots, a bit for each.
struct SlotSet: Sendable {
    /// Empty until something is put in.
    private var words: [UInt64] = []

    func contains(_ slot: Slot) -> Bool {
        !words.isEmpty && words[Int(slot.rawValue) / 64] & (1 << UInt64(slot.rawValue % 64)) != 0
    }

    mutating func insert(_ slot: Slot) {
        if words.isEmpty { words = Array(repeating: 0, count: Slot.count / 64) }
        words[Int(slot.rawValue) / 64] |= 1 << UInt64(slot.rawValue % 64)
    }

    mutating func remove(_ slot: Slot) {
        guard !words.isEmpty else { return }
        words[Int(slot.rawValue) / 64] &= ~(1 << UInt64(slot.rawValue % 64))
    }
}
