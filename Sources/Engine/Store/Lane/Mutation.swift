import FluxCore

/// Names a mutation to the one who made it. Unique among the mutations that its maker has under way.
public struct MutationID: Hashable, Sendable {
    public let rawValue: UInt64
    public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

/// One change of durable state, decided by a slot's owner: the unit that a lane commits whole, or not at all (I11).
public struct Mutation: Sendable {
    /// Given back in the outcome.
    public var id: MutationID
    /// The slot whose owner decided it; it chooses the lane.
    public var slot: Slot
    /// The epoch it was decided in. It is dropped when the slot's lease is no longer of this epoch.
    public var epoch: Epoch
    /// The event loop that wants the outcome; the lane only carries it.
    public var origin: Int
    /// What is to be changed.
    public var change: Change
    /// Memory that it holds, for the lane's bound.
    public var byteCount: Int

    /// A mutation whose size is taken from `change`.
    public init(id: MutationID, slot: Slot, epoch: Epoch, origin: Int, change: Change) {
        self.id = id
        self.slot = slot
        self.epoch = epoch
        self.origin = origin
        self.change = change
        self.byteCount = change.byteCount
    }
}
