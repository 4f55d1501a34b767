import FluxCluster

/// The budgets of one person, lent to the nodes in portions (design 8). A value without a clock.
///
/// In one window no more is lent than the limit allows, and a loan is worth nothing when its window closes: so however a
/// person spreads their calls over nodes, no window sees more of them. Bounded: windows that are over are dropped; beyond so
/// many open ones new ones are not counted, because forgetting an open one would lift a limit.
struct BudgetLender {
    static let sweepAt = 64
    static let capacity = 4_096

    private struct Key: Hashable {
        var bucket: UserBucket
        var place: UInt64
    }

    private struct Window {
        var closesAt: UInt64 = 0
        var lent = 0
        var borrowers: Set<NodeID> = []
    }

    private var windows = BoundedTable<Key, Window>(sweepAt: sweepAt, capacity: capacity)

    /// Whether nothing is lost by forgetting all of it.
    func isOver(at now: UInt64) -> Bool { windows.entries.values.allSatisfy { now >= $0.closesAt } }

    /// Lends a portion: what is wanted, or a share of what is left that is the smaller the more nodes ask, so that a single
    /// node seldom asks and of several none takes it all.
    /// - Parameter now: milliseconds of a clock that does not go back.
    mutating func lend(_ request: BudgetLoanRequest, at now: UInt64) -> BudgetLoan {
        let key = Key(bucket: request.bucket, place: request.place)
        guard windows.hasRoom(for: key, at: now, droppingWhere: { now >= $0.closesAt }) else {
            return BudgetLoan(granted: max(1, request.wanted), remaining: 0, closesAfter: request.rule.milliseconds)
        }
        var window = windows.entries[key] ?? Window()
        if now >= window.closesAt { window = Window(closesAt: now &+ max(1, request.rule.milliseconds)) }
        window.borrowers.insert(request.borrower)
        let left = max(0, request.rule.tokens - window.lent)
        let granted = min(left, max(request.wanted, left / (2 * window.borrowers.count), 1))
        window.lent += granted
        windows.entries[key] = window
        return BudgetLoan(granted: granted, remaining: left - granted, closesAfter: window.closesAt - now)
    }
}
