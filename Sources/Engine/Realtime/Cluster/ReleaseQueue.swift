import DequeModule
import FluxCluster
import FluxCore

/// Releases of slots on their way to Postgres: one transaction at a time, for all that have gathered for one successor while
/// the one before was under way. A release locks the row of its lane, so that several at once would wait for each other, each
/// for a commit of its own, with the slots' callers behind them.
struct ReleaseQueue {
    /// What goes in one transaction.
    struct Group: Sendable, Equatable {
        let successor: NodeIdentity
        var slots: [Slot: Epoch]
    }

    private var waiting = Deque<Group>()
    private var isBusy = false

    /// Adds a slot; a node gives so many away at a time as its keeper allows.
    mutating func add(_ slot: Slot, _ epoch: Epoch, to successor: NodeIdentity) {
        if let index = waiting.firstIndex(where: { $0.successor == successor }) {
            waiting[index].slots[slot] = epoch
        } else {
            waiting.append(Group(successor: successor, slots: [slot: epoch]))
        }
    }

    /// The next transaction; nil while one is under way.
    mutating func begin() -> Group? {
        guard !isBusy, let next = waiting.popFirst() else { return nil }
        isBusy = true
        return next
    }

    /// What was under way has its answer.
    mutating func ended() { isBusy = false }
}
