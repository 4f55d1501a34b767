import FluxCore

/// Who owns which slot at which epoch, as far as this node has heard. Knowledge only moves forward.
struct LeaseTable: Sendable {
    struct Entry: Hashable, Sendable {
        var holder: NodeID?
        /// The holder's process; nil when only its number was heard.
        var incarnation: Int64?
        var epoch: Epoch = 0
    }

    private var entries = Array(repeating: Entry(), count: Slot.count)
    /// How many slots each node holds.
    private(set) var counts: [NodeID: Int] = [:]
    /// The nodes that own something.
    private(set) var holders: Set<NodeID> = []
    /// How often they have become others.
    private(set) var holderChanges = 0

    subscript(slot: Slot) -> Entry { entries[Int(slot.rawValue)] }

    /// Whether it was new. The same epoch may add the incarnation.
    @discardableResult
    mutating func learn(_ slot: Slot, holder: NodeID, incarnation: Int64?, epoch: Epoch) -> Bool {
        let index = Int(slot.rawValue)
        let entry = entries[index]
        guard epoch > entry.epoch else {
            if epoch == entry.epoch, entry.holder == holder, entry.incarnation == nil {
                entries[index].incarnation = incarnation
            }
            return false
        }
        count(entry.holder, -1)
        count(holder, 1)
        entries[index] = Entry(holder: holder, incarnation: incarnation, epoch: epoch)
        return true
    }

    private mutating func count(_ holder: NodeID?, _ change: Int) {
        guard let holder else { return }
        let count = (counts[holder] ?? 0) + change
        counts[holder] = count > 0 ? count : nil
        if count == 0 {
            holders.remove(holder)
            holderChanges += 1
        } else if count == change {
            holders.insert(holder)
            holderChanges += 1
        }
    }
}
