import Distributed
import FluxCluster
import FluxCore

/// Lends a person's budgets to the nodes that they call (design 8). It lives in the slot of the user and needs nothing of
/// Postgres, so that limits hold also for people of whom nothing else is in memory, and while Postgres is away. What was
/// lent is forgotten when the slot gets another owner: then one window more may begin.
distributed actor BudgetActor: KeyedActor {
    typealias ActorSystem = ClusterActorSystem

    nonisolated var unownedExecutor: UnownedSerialExecutor { actorSystem.unownedExecutor(for: id) }

    private let clock: EngineClock
    private var lender = BudgetLender()

    init(clock: EngineClock, system: ClusterActorSystem) {
        actorSystem = system
        self.clock = clock
    }

    var canPassivate: Bool { lender.isOver(at: clock.milliseconds) }

    func lend(_ request: BudgetLoanRequest) -> BudgetLoan {
        lender.lend(request, at: clock.milliseconds)
    }
}
