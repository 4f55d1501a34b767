import FluxCore

/// Something of some slots, found without hashing and gone through in the order of the slots.
struct SlotMap<Value: Sendable>: Sendable {
    /// Empty until something is put in.
    private var values: [Value?] = []
    /// Of how many slots there is something.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    subscript(slot: Slot) -> Value? {
        get { count == 0 ? nil : values[Int(slot.rawValue)] }
        set {
            let index = Int(slot.rawValue)
            if values.isEmpty {
                guard newValue != nil else { return }
                values = Array(repeating: nil, count: Slot.count)
            }
            count += (newValue == nil ? 0 : 1) - (values[index] == nil ? 0 : 1)
            values[index] = newValue
        }
    }

    /// What is made of each slot of which there is something, in growing order; without those of which nothing is made.
    func compactMap<Result>(_ transform: (Slot, Value) -> Result?) -> [Result] {
        var results: [Result] = []
        guard count > 0 else { return results }
        results.reserveCapacity(count)
        for slot in SlotKeeper.slots {
            if let value = values[Int(slot.rawValue)], let result = transform(slot, value) { results.append(result) }
        }
        return results
    }
}
