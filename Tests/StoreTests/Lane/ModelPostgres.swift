import FluxCore

@testable import FluxStore

/// As much of Postgres as a lane sees, for one lane of one node: the fence, the leases, and what is committed.
///
/// It refuses what the fence refuses and nothing else, and notes what must never get past it.
struct ModelPostgres {
    /// One committed row.
    struct Committed {
        var id: MutationID
        var epoch: Epoch
        /// Nil for what has no number.
        var seq: SequenceNumber?
        var isVoid: Bool
    }

    /// What became of a batch.
    enum Answer {
        case committed
        case fenced
        /// The positions of the mutations at fault.
        case refused([Int])
    }

    private(set) var generation: Int64 = 1
    private(set) var batch: Int64 = 0
    /// The epoch of each slot's lease, whoever holds it.
    private(set) var epochs: [Slot: Epoch] = [:]
    private(set) var ours: Set<Slot> = []
    private(set) var rows: [Slot: [Committed]] = [:]
    private(set) var held: Set<MutationID> = []
    /// When values of a key were committed, and which.
    private(set) var values: [CounterKey: [MutationID]] = [:]
    private(set) var violations: [String] = []

    /// The leases that this node holds.
    var leases: [Slot: Epoch] { epochs.filter { ours.contains($0.key) } }

    /// The last seq of a slot's channel that is in.
    func lastSequence(of slot: Slot) -> SequenceNumber { rows[slot]?.last { $0.seq != nil }?.seq ?? 0 }

    /// This node or another takes a slot, in one transaction.
    mutating func acquire(_ slot: Slot, byUs: Bool) -> Epoch {
        if ours.contains(slot) { generation += 1 }
        epochs[slot, default: 0] += 1
        if byUs { ours.insert(slot) } else { ours.remove(slot) }
        return epochs[slot] ?? 0
    }

    mutating func resolve() -> LaneView {
        generation += 1
        return LaneView(generation: generation, batch: batch, leases: leases)
    }

    mutating func commit(_ batch: LaneBatch, poisoned: Set<MutationID>) -> Answer {
        guard batch.generation == generation, batch.number == self.batch + 1 else { return .fenced }
        let faults = batch.entries.indices.filter {
            poisoned.contains(batch.entries[$0].mutation.id) && !batch.entries[$0].isOrphan
        }
        guard faults.isEmpty else { return .refused(faults) }
        self.batch = batch.number
        for entry in batch.entries { insert(entry) }
        return .committed
    }

    private mutating func insert(_ entry: LaneEntry) {
        let mutation = entry.mutation
        if leases[mutation.slot] != mutation.epoch {
            violations.append("\(mutation.id) of slot \(mutation.slot), epoch \(mutation.epoch) without its lease")
        }
        if case .counter(let key, _) = mutation.change {
            values[key, default: []].append(mutation.id)
            if !held.insert(mutation.id).inserted { violations.append("\(mutation.id) twice") }
            return
        }
        let row = Committed(
            id: mutation.id, epoch: mutation.epoch, seq: mutation.change.number?.1, isVoid: entry.isOrphan)
        if !row.isVoid, !held.insert(row.id).inserted { violations.append("\(row.id) twice") }
        let earlier = rows[mutation.slot] ?? []
        if let last = earlier.last,
            last.epoch > row.epoch || last.epoch == row.epoch && last.id.rawValue >= row.id.rawValue
        {
            violations.append("\(row.id) after \(last.id) in slot \(mutation.slot)")
        }
        if let seq = row.seq, seq != lastSequence(of: mutation.slot) + 1 {
            violations.append("seq \(seq) after \(lastSequence(of: mutation.slot)) in slot \(mutation.slot)")
        }
        rows[mutation.slot, default: []].append(row)
    }
}
