import FluxCore

/// Something of some of the slots, found without hashing.
struct SlotArray<Value> {
    private var values = [Value?](repeating: nil, count: Slot.count)
    /// Of how many slots there is something.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    subscript(slot: Slot) -> Value? {
        _read { yield values[Int(slot.rawValue)] }
        _modify {
            let index = Int(slot.rawValue)
            if values[index] != nil { count -= 1 }
            defer { if values[index] != nil { count += 1 } }
            yield &values[index]
        }
    }
}
