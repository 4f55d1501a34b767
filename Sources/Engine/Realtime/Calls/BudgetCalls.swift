import FluxCluster
import FluxCore

/// The calls to who lends people's limits, by number; see `ChannelCalls`.
enum BudgetCalls {
    /// Lends a portion of one of the person's limits.
    static let lend = Call<BudgetActor, BudgetLoanRequest, BudgetLoan>(number: 30)
}
