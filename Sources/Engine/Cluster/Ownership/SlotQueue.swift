import FluxCore

/// Something of some slots that is over after a time which is the same for all of them: what began first is due first, so
/// that the next deadline is known without a search.
struct SlotQueue<Value: Sendable>: Sendable {
    private struct Item: Sendable {
        let slot: Slot
        let value: Value
        let deadline: Duration
    }

    /// In the order of their deadlines.
    private var items: [Item] = []
    private var slots = SlotSet()

    var count: Int { items.count }
    var isEmpty: Bool { items.isEmpty }

    /// The earliest deadline.
    var deadline: Duration? { items.first?.deadline }

    func contains(_ slot: Slot) -> Bool { slots.contains(slot) }

    subscript(slot: Slot) -> Value? { index(of: slot).map { items[$0].value } }

    /// Puts in the slot, anew if it is there. - Parameter deadline: at or after all that are there.
    mutating func append(_ slot: Slot, _ value: Value, until deadline: Duration) {
        remove(slot)
        items.append(Item(slot: slot, value: value, deadline: deadline))
        slots.insert(slot)
    }

    mutating func remove(_ slot: Slot) {
        guard let index = index(of: slot) else { return }
        items.remove(at: index)
        slots.remove(slot)
    }

    /// Takes out what is due, in the order of the slots.
    mutating func takeDue(at now: Duration) -> [(slot: Slot, value: Value)] {
        guard let deadline, deadline <= now else { return [] }
        let due = items.prefix { $0.deadline <= now }
        for item in due { slots.remove(item.slot) }
        items.removeFirst(due.count)
        return due.map { ($0.slot, $0.value) }.sorted { $0.slot < $1.slot }
    }

    private func index(of slot: Slot) -> Int? {
        contains(slot) ? items.firstIndex { $0.slot == slot } : nil
    }
}
