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
    /// How many slots each node holds, by its number: it changes with every route that is learned.
    private var holdings: [Int] = []
    /// The nodes that own something.
    private(set) var holders: Set<NodeID> = []
    /// How often they have become others.
    private(set) var holderChanges = 0

    /// How many slots each node holds.
    var counts: [NodeID: Int] {
        Dictionary(uniqueKeysWithValues: holders.map { ($0, holdings[Int($0.rawValue)]) })
    }

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
        let index = Int(holder.rawValue)
        while holdings.count <= index { holdings.append(0) }
        let count = holdings[index] + change
        holdings[index] = count
        if count == 0 {
            holders.remove(holder)
            holderChanges += 1
        } else if count == change {
            holders.insert(holder)
            holderChanges += 1
        }
    }
}
