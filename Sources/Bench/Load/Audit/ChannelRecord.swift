import FluxCore

/// A channel as the server tells it in the end: its log and its history, from a number on.
struct ChannelRecord: Sendable {
    struct Entry: Sendable, Equatable {
        let epoch: Int
        let identity: EventIdentity
    }

    struct Stored: Sendable, Equatable {
        let id: UInt64
        let place: Place
        let author: UInt64
        let nonce: String?
    }

    /// The channel's number in the run's table.
    let channel: Int
    /// The number behind which this begins.
    let base: Int
    /// By number.
    var entries: [Int: Entry] = [:]
    var lastSeq = 0
    /// Oldest first.
    var messages: [Stored] = []
    /// What could not be read or was told in a wrong order.
    var complaints: [Violation] = []

    /// The numbers that stand, as runs, for a quick comparison with what clients hold.
    var runs: HeldRuns {
        var runs = HeldRuns()
        for (seq, entry) in entries.sorted(by: { $0.key < $1.key }) { runs.append(Place(epoch: entry.epoch, seq: seq)) }
        return runs
    }
}
