import FluxCluster
import FluxCore
import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// What this node has borrowed of people's budgets; asks their lenders for more. The shell around `BorrowedBudget`: from any
/// thread, one short lock a call, and a call to the lender for each portion.
///
/// Bounded as `LocalRateLimiter` is: when too many budgets are open, a new one is let through uncounted.
final class BudgetDesk: Sendable {
    private static let shardCount = 16
    private static let sweepAt = 1_024
    private static let capacity = 1 << 14

    private struct Shard {
        var budgets = BoundedTable<UserBudget, BorrowedBudget>(
            sweepAt: BudgetDesk.sweepAt, capacity: BudgetDesk.capacity)
        var waiters: [UserBudget: [CheckedContinuation<Void, Never>]] = [:]
    }

    private let system: ClusterActorSystem
    private let clock: EngineClock
    private let patience: TimeAmount
    private let shards = (0..<shardCount).map { _ in NIOLockedValueBox(Shard()) }
    private let asked = Atomic<Int>(0)
    private let unanswered = Atomic<Int>(0)

    /// - Parameter patience: how long a call waits for the lender before the node lends itself.
    init(system: ClusterActorSystem, clock: EngineClock, patience: TimeAmount) {
        self.system = system
        self.clock = clock
        self.patience = patience
    }

    /// How often a lender was asked.
    var loanCount: Int { asked.load(ordering: .relaxed) }

    /// How often it did not answer.
    var ownLoanCount: Int { unanswered.load(ordering: .relaxed) }

    /// Takes one use of a budget, as soon as it is known whether there is one.
    func take(_ budget: UserBudget, _ rule: RateWindow.Rule) async -> RateWindow.Decision {
        let shard = shards[Int(UInt(bitPattern: budget.hashValue) % UInt(Self.shardCount))]
        while true {
            let now = clock.milliseconds
            switch shard.withLockedValue({ Self.take(budget, rule, in: &$0, at: now) }) {
            case .decided(let decision): return decision
            case .wait: await wait(for: budget, in: shard)
            case .ask: await borrow(budget, rule, in: shard)
            }
        }
    }

    private static func take(
        _ budget: UserBudget, _ rule: RateWindow.Rule, in shard: inout Shard, at now: UInt64
    ) -> BorrowedBudget.Step {
        guard shard.budgets.hasRoom(for: budget, at: now, droppingWhere: { $0.isOver(at: now) }) else {
            var window = RateWindow()
            return .decided(window.take(rule, at: now))
        }
        return shard.budgets.entries[budget, default: BorrowedBudget()].take(rule, at: now)
    }

    private func wait(for budget: UserBudget, in shard: NIOLockedValueBox<Shard>) async {
        await withCheckedContinuation { continuation in
            let isAsking = shard.withLockedValue { shard in
                guard shard.budgets.entries[budget]?.isAsking == true else { return false }
                shard.waiters[budget, default: []].append(continuation)
                return true
            }
            if !isAsking { continuation.resume() }
        }
    }

    private func borrow(
        _ budget: UserBudget, _ rule: RateWindow.Rule, in shard: NIOLockedValueBox<Shard>
    ) async {
        asked.wrappingAdd(1, ordering: .relaxed)
        let wanted = shard.withLockedValue { $0.budgets.entries[budget]?.wanted ?? 1 }
        let request = BudgetLoanRequest(
            bucket: budget.bucket, place: budget.place, rule: rule, wanted: wanted, borrower: system.identity.id)
        let askedAt = clock.milliseconds
        let loan = try? await system.invoke(
            BudgetCalls.lend, on: .budget(of: budget.userID), request, deadline: patience)
        if loan == nil { unanswered.wrappingAdd(1, ordering: .relaxed) }
        let now = clock.milliseconds
        let waiters = shard.withLockedValue { shard in
            if let loan {
                shard.budgets.entries[budget]?.answered(loan, to: rule, askedAt: askedAt, at: now)
            } else {
                shard.budgets.entries[budget]?.unreachable(rule, at: now)
            }
            return shard.waiters.removeValue(forKey: budget) ?? []
        }
        for waiter in waiters { waiter.resume() }
    }
}
