import DequeModule
import FluxCluster

/// Verdicts on their way to Postgres, one at a time and in order. Holds at most what is under way and one more for each
/// member: of one member only the latest waits.
struct VerdictQueue {
    enum Verdict: Sendable {
        case condemn(NodeIdentity)
        case acquit(NodeID)

        var subject: NodeID {
            switch self {
            case .condemn(let identity): identity.id
            case .acquit(let node): node
            }
        }
    }

    private var waiting = Deque<Verdict>()
    private var isBusy = false

    /// Adds a verdict in place of one that waits for the same member. What is replaced never counts: a condemnation that was
    /// taken back before it was written needs no answer.
    mutating func add(_ verdict: Verdict) {
        waiting.removeAll { $0.subject == verdict.subject }
        waiting.append(verdict)
    }

    /// The next to be written; nil while one is under way.
    mutating func begin() -> Verdict? {
        guard !isBusy, let next = waiting.popFirst() else { return nil }
        isBusy = true
        return next
    }

    /// What was under way has its answer.
    mutating func ended() { isBusy = false }
}
