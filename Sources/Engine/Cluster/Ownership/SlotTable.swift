import FluxCore

/// Who owns which slot, as far as this node knows, and at which epoch.
///
/// A pure value. Knowledge only moves forward: an assignment of an older epoch than the known one is ignored. The lease
/// rows are the truth; a table that is behind costs a redirection, never a wrong commit.
public struct SlotTable: Sendable {
    /// A slot's owner at an epoch; nil after a loss whose winner is not known yet.
    public struct Assignment: Hashable, Sendable {
        /// The owner.
        public var node: NodeID?
        /// The latest epoch that is known, which the owner has or had.
        public var epoch: Epoch

        /// An assignment from its parts.
        public init(node: NodeID?, epoch: Epoch) {
            self.node = node
            self.epoch = epoch
        }
    }

    private var assignments: [Assignment]

    /// A table that knows no owner.
    public init() {
        assignments = Array(repeating: Assignment(node: nil, epoch: 0), count: Slot.count)
    }

    /// What is known of the slot.
    public subscript(slot: Slot) -> Assignment {
        assignments[Int(slot.rawValue)]
    }

    /// The owner of the slot, if one is known.
    public func owner(of slot: Slot) -> NodeID? {
        assignments[Int(slot.rawValue)].node
    }

    /// Takes over newer knowledge; whether it was newer.
    @discardableResult
    public mutating func learn(_ slot: Slot, node: NodeID, epoch: Epoch) -> Bool {
        let known = assignments[Int(slot.rawValue)]
        guard epoch > known.epoch else { return false }
        assignments[Int(slot.rawValue)] = Assignment(node: node, epoch: epoch)
        return true
    }

    /// Forgets the owner of the slot if it is known at no later epoch than this: it has lost it.
    @discardableResult
    public mutating func forget(_ slot: Slot, epoch: Epoch) -> Bool {
        let known = assignments[Int(slot.rawValue)]
        guard known.node != nil, known.epoch <= epoch else { return false }
        assignments[Int(slot.rawValue)].node = nil
        return true
    }

    /// The slots that the node owns.
    public func slots(of node: NodeID) -> [Slot] {
        assignments.indices.compactMap { index in
            assignments[index].node == node ? Slot(rawValue: UInt16(index)) : nil
        }
    }

    /// The slots whose owner or epoch is another one here than in an earlier table.
    public func changes(since earlier: SlotTable) -> [Slot] {
        assignments.indices.compactMap { index in
            assignments[index] == earlier.assignments[index] ? nil : Slot(rawValue: UInt16(index))
        }
    }

    /// The nodes that own slots.
    public var owners: Set<NodeID> { Set(assignments.compactMap(\.node)) }
}
