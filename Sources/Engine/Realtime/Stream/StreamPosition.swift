import FluxCore

/// A point in a stream: the owner's epoch and the number of the event within it (design 2). Ordered by epoch, then number.
public struct StreamPosition: Hashable, Comparable, Sendable {
    /// The epoch of the slot under which the event was decided.
    public var epoch: Epoch
    /// Grows by one with each event from where the owner's activation began.
    public var number: UInt64

    /// Before every event of every epoch.
    public static let none = StreamPosition(epoch: 0, number: 0)

    public init(epoch: Epoch, number: UInt64) {
        self.epoch = epoch
        self.number = number
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.epoch, left.number) < (right.epoch, right.number)
    }

    /// Whether this event comes straight after `other`, with none between them. What lies between two epochs only their
    /// owners can tell.
    public func directlyFollows(_ other: StreamPosition) -> Bool {
        epoch == other.epoch && number == other.number + 1
    }
}
