/// What became of a mutation. Each mutation that a lane accepted gets exactly one.
public struct LaneOutcome: Sendable, Equatable {
    /// The ways in which a mutation ends.
    public enum Result: Sendable, Hashable {
        /// It is durable.
        case committed
        /// Postgres refuses it, for good. Its number in a channel's log is or will be a void entry.
        case refused(StoreError)
        /// It waited 30 s and was taken back: it is not durable and will never be. Its number becomes a void entry.
        case withdrawn
        /// The slot's lease is gone, or is of a later epoch. Whether an earlier copy of it is durable is not for this
        /// node to say: the sender asks the new owner, under the same nonce.
        case lost
    }

    /// The mutation.
    public var id: MutationID
    /// The event loop that wants to know.
    public var origin: Int
    /// What became of it.
    public var result: Result

    public init(id: MutationID, origin: Int, result: Result) {
        self.id = id
        self.origin = origin
        self.result = result
    }
}
