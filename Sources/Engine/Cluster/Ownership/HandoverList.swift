import FluxCore

/// The hand-overs under way. They are few, so a slot's is found sooner by looking at each than by hashing.
struct HandoverList: Sendable {
    private var handovers: [Handover] = []

    var count: Int { handovers.count }
    var isEmpty: Bool { handovers.isEmpty }
    /// All of them, in no order.
    var all: [Handover] { handovers }
    /// When the next of them has to be called off, if that is still possible.
    private(set) var deadline: Duration?

    subscript(slot: Slot) -> Handover? {
        get { index(of: slot).map { handovers[$0] } }
        set {
            switch (index(of: slot), newValue) {
            case (let index?, let handover?): handovers[index] = handover
            case (let index?, nil): handovers.remove(at: index)
            case (nil, let handover?): handovers.append(handover)
            case (nil, nil): return
            }
            deadline = handovers.lazy.filter(\.phase.canBeCalledOff).map(\.deadline).min()
        }
    }

    func contains(_ slot: Slot) -> Bool { index(of: slot) != nil }

    private func index(of slot: Slot) -> Int? { handovers.firstIndex { $0.slot == slot } }
}
