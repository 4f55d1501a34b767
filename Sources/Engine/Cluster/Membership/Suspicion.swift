import Foundation

/// How long a suspected member has until it is held dead: Lifeguard IV.B.
///
/// The time begins long and shrinks with the logarithm of independent accusations; it is longer on a node that is not
/// well itself. A departure from the paper: a refused connection ends it early, as only the host of a process that is
/// gone refuses.
struct Suspicion: Sendable {
    private var startedAt: Duration
    private var refusedAt: Duration?
    private var accusers: Set<NodeID>
    private let shortest: Duration
    private let longest: Duration
    private let neededConfirmations: Int
    private let refusedTime: Duration

    /// `others`: how many members could confirm. `healthScore`: of this node.
    init(
        by accuser: NodeID, others: Int, healthScore: Int, configuration: MembershipConfiguration, at now: Duration
    ) {
        let stretch = 1 + Double(healthScore) * configuration.suspicionPerPoint
        startedAt = now
        accusers = [accuser]
        shortest = configuration.shortestSuspicion * stretch
        longest = configuration.longestSuspicion * stretch
        neededConfirmations = max(0, min(configuration.confirmations, others))
        refusedTime = configuration.refusedSuspicion
    }

    /// Somebody suspects the member too; whether that is new and still matters.
    mutating func confirm(by accuser: NodeID) -> Bool {
        guard accusers.count <= neededConfirmations else { return false }
        return accusers.insert(accuser).inserted
    }

    /// The member's host has refused a connection.
    mutating func refused(at now: Duration) {
        refusedAt = refusedAt ?? now
    }

    /// Time passed in which this process stood still.
    mutating func postpone(by gap: Duration) {
        startedAt += gap
        refusedAt? += gap
    }

    var deadline: Duration {
        let confirmed = Double(accusers.count - 1)
        let share = neededConfirmations == 0 ? 1 : log(confirmed + 1) / log(Double(neededConfirmations) + 1)
        let regular = startedAt + longest - (longest - shortest) * min(1, share)
        guard let refusedAt else { return regular }
        return min(regular, refusedAt + refusedTime)
    }
}
