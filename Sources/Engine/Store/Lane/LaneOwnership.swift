import FluxCore

/// Which leases a lane's last resolution saw, and which epochs are known to be over.
struct LaneOwnership {
    /// How a mutation stands to the leases.
    enum Standing: Equatable {
        case owned
        /// The lease it was decided under is gone, and no lease of that epoch will come back.
        case lost
        /// It was decided under a lease that is newer than the last resolution: only another one can tell.
        case unknown
    }

    /// By slot: the epoch of the lease; 0 where there is none.
    private var owned = [Epoch](repeating: 0, count: Slot.count)
    /// What `owned` was made of.
    private var leases: [Slot: Epoch] = [:]
    /// By slot: every epoch up to this one that is not `owned` is over.
    private var over = [Epoch](repeating: 0, count: Slot.count)

    func standing(of mutation: Mutation) -> Standing { standing(of: mutation.slot, mutation.epoch) }

    /// How what was decided in a slot under an epoch stands to the leases.
    func standing(of slot: Slot, _ epoch: Epoch) -> Standing {
        let slot = Int(slot.rawValue)
        if owned[slot] == epoch { return .owned }
        return epoch <= max(over[slot], owned[slot]) ? .lost : .unknown
    }

    /// The leases as a resolution read them.
    mutating func replace(with leases: [Slot: Epoch]) {
        for (slot, epoch) in self.leases {
            over[Int(slot.rawValue)] = max(over[Int(slot.rawValue)], epoch)
            owned[Int(slot.rawValue)] = 0
        }
        for (slot, epoch) in leases { owned[Int(slot.rawValue)] = epoch }
        self.leases = leases
    }

    /// A mutation was decided before the leases were read, not while they were. If they do not hold its lease now, they never will: a lease is
    /// committed before anything is decided under it.
    mutating func settle(_ mutation: Mutation) {
        guard standing(of: mutation) == .unknown else { return }
        over[Int(mutation.slot.rawValue)] = mutation.epoch
    }
}
