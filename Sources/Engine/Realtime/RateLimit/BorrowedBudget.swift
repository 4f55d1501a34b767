/// What a node has borrowed of one budget: it lets calls through as long as there is something left, asks for more when there
/// is not, and refuses without asking when the lender has nothing. A value without a clock.
///
/// A loan counts from the moment it was asked for, so that it is over at the borrower no later than at the lender, however
/// long the answer took and whatever the clocks say. When the lender cannot be reached the node lends itself a share of the
/// limit for the length of a window: never everything, never nothing.
struct BorrowedBudget {
    /// What part of a limit a node lends itself when the lender cannot be reached: one in so many, at least one call.
    static let ownShare = 4
    /// Loans in a row that were over when they came, after which the lender counts as not reached.
    static let staleLoans = 2

    /// What becomes of a call.
    enum Step: Equatable {
        /// It was let through, or refused.
        case decided(RateWindow.Decision)
        /// Ask the lender, say `answered` or `unreachable`, and take again.
        case ask
        /// Somebody asks already: take again when the answer is there.
        case wait
    }

    private var left = 0
    /// What nobody had borrowed when the lender said so last.
    private var unlent = 0
    /// The last loan is good before this.
    private var usableUntil: UInt64 = 0
    /// When there is something new; until then nothing is, once `isSpent`.
    private var resetsAt: UInt64 = 0
    private var isSpent = false
    private var stale = 0
    private(set) var isAsking = false
    private var waiting = 0

    /// Whether nothing is lost by forgetting it.
    func isOver(at now: UInt64) -> Bool { !isAsking && now >= usableUntil && now >= resetsAt }

    /// How many calls the next loan is for.
    var wanted: Int { waiting + 1 }

    /// Takes one use. - Parameter now: milliseconds of a clock that does not go back.
    mutating func take(_ rule: RateWindow.Rule, at now: UInt64) -> Step {
        if left > 0, now < usableUntil {
            left -= 1
            isSpent = left == 0 && unlent == 0
            return .decided(decision(true, rule, at: now))
        }
        if isSpent, now < resetsAt { return .decided(decision(false, rule, at: now)) }
        guard !isAsking else {
            waiting += 1
            return .wait
        }
        isAsking = true
        waiting = 0
        return .ask
    }

    /// The lender's answer to what was asked at `askedAt`. - Returns: whether it is worth anything.
    @discardableResult
    mutating func answered(
        _ loan: BudgetLoan, to rule: RateWindow.Rule, askedAt: UInt64, at now: UInt64
    ) -> Bool {
        isAsking = false
        waiting = 0
        guard loan.granted > 0 else {
            (left, unlent, isSpent, stale) = (0, 0, true, 0)
            resetsAt = now &+ max(1, loan.closesAfter)
            return true
        }
        guard now < askedAt &+ loan.closesAfter else {
            stale += 1
            (left, isSpent) = (0, false)
            if stale >= Self.staleLoans { unreachable(rule, at: now) }
            return false
        }
        (left, unlent, isSpent, stale) = (loan.granted, loan.remaining, false, 0)
        usableUntil = askedAt &+ loan.closesAfter
        resetsAt = now &+ loan.closesAfter
        return true
    }

    /// The lender did not answer.
    mutating func unreachable(_ rule: RateWindow.Rule, at now: UInt64) {
        isAsking = false
        waiting = 0
        (left, unlent, isSpent, stale) = (max(1, rule.tokens / Self.ownShare), 0, false, 0)
        usableUntil = now &+ max(1, rule.milliseconds)
        resetsAt = usableUntil
    }

    private func decision(_ isAllowed: Bool, _ rule: RateWindow.Rule, at now: UInt64) -> RateWindow.Decision {
        RateWindow.Decision(
            isAllowed: isAllowed, limit: rule.tokens, remaining: isAllowed ? left + unlent : 0,
            resetAfterMilliseconds: resetsAt > now ? resetsAt - now : 1)
    }
}
