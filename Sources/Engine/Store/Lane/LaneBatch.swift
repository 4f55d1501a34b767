import FluxCore

/// What a lane commits in one transaction, in the order in which it was admitted.
public struct LaneBatch: Sendable {
    /// One more than the last batch that was committed.
    public var number: Int64
    /// The generation of the lane under which it may commit.
    public var generation: Int64
    /// At least one.
    public var mutations: [Mutation] { entries.map(\.mutation) }
    /// Mutations in it.
    public var count: Int { entries.count }

    let entries: [LaneEntry]
    /// When the oldest of it was admitted.
    let oldest: Duration

    init(number: Int64, generation: Int64, entries: [LaneEntry]) {
        self.number = number
        self.generation = generation
        self.entries = entries
        oldest = entries.lazy.map(\.admittedAt).min() ?? .zero
    }
}

/// A mutation inside a lane.
struct LaneEntry: Sendable {
    var mutation: Mutation
    /// When it was admitted: it ages from here, however often it is tried.
    var admittedAt: Duration
    /// Its place in the order of admission, from 1.
    var serial: UInt64
    /// Mutations that this one stands for too: older values of the same coalesced key.
    var superseded: [Reference] = []
    /// A void entry whose sender has already been told: it has no outcome of its own.
    var isOrphan = false

    /// Who wants to know what became of a mutation.
    struct Reference: Sendable {
        var id: MutationID
        var origin: Int
    }

    /// Rows that it counts for the lane's bound.
    var rowCount: Int { 1 + superseded.count }

    /// The void entry that takes its number, when it has one.
    var void: LaneEntry? {
        guard let (channelID, seq, epoch) = mutation.change.number else { return nil }
        var void = mutation
        void.change = .void(channelID, seq, epoch, about: mutation.change.subject)
        void.byteCount = void.change.byteCount
        return LaneEntry(mutation: void, admittedAt: admittedAt, serial: serial, isOrphan: true)
    }
}

extension Change {
    /// The place in a channel's log that the change takes.
    var number: (ChannelID, SequenceNumber, Epoch)? {
        switch self {
        case .createMessage(let row): (row.message.channelID, row.message.seq, row.message.epoch)
        case .updateMessage(_, let entry), .deleteMessages(_, _, let entry), .reaction(_, let entry),
            .clearReactions(_, _, _, let entry), .logOnly(let entry, _):
            (entry.channelID, entry.seq, entry.epoch)
        case .void(let channelID, let seq, let epoch, _): (channelID, seq, epoch)
        case .statements, .counter: nil
        }
    }
}
