import FluxCore

/// The hand-overs under way. They are few, so a slot's is found sooner by looking at each than by hashing.
struct HandoverList: Sendable {
    private var handovers: [Handover] = []

    var count: Int { handovers.count }
    var isEmpty: Bool { handovers.isEmpty }
    /// All of them, in no order.
    var all: [Handover] { handovers }

    subscript(slot: Slot) -> Handover? {
        get { index(of: slot).map { handovers[$0] } }
        set {
            switch (index(of: slot), newValue) {
            case (let index?, let handover?): handovers[index] = handover
            case (let index?, nil): handovers.remove(at: index)
            case (nil, let handover?): handovers.append(handover)
            case (nil, nil): break
            }
        }
    }

    func contains(_ slot: Slot) -> Bool { index(of: slot) != nil }

    /// When the next of them has to be called off.
    func deadline(after now: Duration) -> Duration? {
        var next: Duration?
        for handover in handovers where handover.phase.canBeCalledOff && handover.deadline > now {
            if next.map({ handover.deadline < $0 }) ?? true { next = handover.deadline }
        }
        return next
    }

    private func index(of slot: Slot) -> Int? { handovers.firstIndex { $0.slot == slot } }
}
