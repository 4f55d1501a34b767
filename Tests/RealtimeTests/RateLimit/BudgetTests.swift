import FluxCluster
import FluxCore
import FluxFuzzing
import Testing

@testable import FluxRealtime

/// Budgets that are lent: however calls, answers and clocks lie, no window lets more through than the limit allows.
@Suite struct BudgetTests {
    private static let rule = RateWindow.Rule(tokens: 50, seconds: 1)

    private func request(from borrower: UInt16, wanted: Int = 1, place: UInt64 = 0) -> BudgetLoanRequest {
        BudgetLoanRequest(
            bucket: .everything, place: place, rule: Self.rule, wanted: wanted,
            borrower: NodeID(rawValue: borrower)!)
    }

    @Test func aNodeAloneCountsAsAWindowDoesAndSeldomAsks() throws {
        var (lender, borrowed, window) = (BudgetLender(), BorrowedBudget(), RateWindow())
        var asked = 0
        for second in 0..<3 {
            for number in 0..<60 {
                let now = UInt64(second * 1_000 + number * 10)
                var step = borrowed.take(Self.rule, at: now)
                if step == .ask {
                    asked += 1
                    borrowed.answered(lender.lend(request(from: 1), at: now), to: Self.rule, askedAt: now, at: now)
                    step = borrowed.take(Self.rule, at: now)
                }
                #expect(step == .decided(window.take(Self.rule, at: now)))
            }
        }
        #expect(asked <= 3 * 7)
    }

    @Test func whatIsLentToOthersIsLeftToNobodyElse() {
        var lender = BudgetLender()
        var (total, rounds) = (0, 0)
        while total < 50, rounds < 100 {
            rounds += 1
            for node in 1...3 as ClosedRange<UInt16> {
                let loan = lender.lend(request(from: node), at: 10)
                total += loan.granted
                #expect(loan.remaining == 50 - total)
                // The second and third find something left.
                #expect(rounds > 1 || loan.granted > 0)
            }
        }
        #expect(total == 50)
        #expect(
            lender.lend(request(from: 1, wanted: 9), at: 999) == BudgetLoan(granted: 0, remaining: 0, closesAfter: 11))
        #expect(!lender.isOver(at: 1_009) && lender.isOver(at: 1_010))
        #expect(lender.lend(request(from: 1), at: 1_010).granted == 25)
        // Another place has its own.
        #expect(lender.lend(request(from: 1, place: 7), at: 1_010).granted == 25)
    }

    @Test func whoeverCannotReachTheLenderHasAShareAndNoMore() {
        var borrowed = BorrowedBudget()
        var allowed = 0
        for _ in 0..<60 {
            var step = borrowed.take(Self.rule, at: 5)
            if step == .ask {
                borrowed.unreachable(Self.rule, at: 5)
                step = borrowed.take(Self.rule, at: 5)
            }
            if case .decided(let decision) = step, decision.isAllowed { allowed += 1 }
        }
        #expect(allowed == 50 / BorrowedBudget.ownShare)
        #expect(borrowed.take(Self.rule, at: 1_004) != .ask)
        // It asks again when the window is over.
        #expect(borrowed.take(Self.rule, at: 1_005) == .ask)
        #expect(borrowed.take(Self.rule, at: 1_005) == .wait)
        // Loans that are over when they come count as none, and in the end as a lender that is not there.
        borrowed.answered(
            BudgetLoan(granted: 9, remaining: 9, closesAfter: 10), to: Self.rule, askedAt: 1_005, at: 1_015)
        #expect(borrowed.take(Self.rule, at: 1_015) == .ask)
        borrowed.answered(
            BudgetLoan(granted: 9, remaining: 9, closesAfter: 10), to: Self.rule, askedAt: 1_015, at: 1_025)
        guard case .decided(let decision) = borrowed.take(Self.rule, at: 1_025) else {
            Issue.record("it lends itself")
            return
        }
        #expect(decision.isAllowed && decision.remaining < 50 / BorrowedBudget.ownShare)
    }

    @Test func memoryIsBounded() {
        var lender = BudgetLender()
        for place in 1...10_000 as ClosedRange<UInt64> {
            #expect(lender.lend(request(from: 1, place: place), at: 1).granted > 0)
        }
        // What was counted is counted still.
        for _ in 0..<50 { _ = lender.lend(request(from: 1, place: 1), at: 1) }
        #expect(lender.lend(request(from: 1, place: 1), at: 1).granted == 0)
    }

    /// Nodes with clocks of their own, a lender far away, answers that come late or never, bursts and pauses.
    @Test(arguments: 1...40 as ClosedRange<UInt64>) func noWindowLetsMoreThrough(_ seed: UInt64) {
        var world = BudgetWorld(seed: seed)
        world.run(milliseconds: 10_000)
        for window in world.windows {
            #expect(window.used <= Self.rule.tokens, "seed \(seed): window at \(window.opened)")
        }
        #expect(world.usedTooLate == 0)
        #expect(world.windows.contains { $0.used > 0 } || world.ownWindows.contains { $0 > 0 })
        for own in world.ownWindows { #expect(own <= Self.rule.tokens / BorrowedBudget.ownShare) }
        #expect(world.refused > 0)
    }

    @Test func loansCrossAsTheyAre() throws {
        for bucket in UserBucket.allCases {
            let request = BudgetLoanRequest(
                bucket: bucket, place: 77, rule: Self.rule, wanted: 3, borrower: NodeID(rawValue: 9)!)
            #expect(try BudgetLoanRequest(decoding: request.encoded(dialect: .next)) == request)
        }
        let loan = BudgetLoan(granted: 4, remaining: 9, closesAfter: 1_000)
        #expect(try BudgetLoan(decoding: loan.encoded(dialect: .next)) == loan)
    }
}

/// A lender, three borrowers and the way between them on virtual time.
private struct BudgetWorld {
    struct Window {
        var opened: UInt64
        var closes: UInt64
        var used = 0
    }

    private enum Source {
        case window(Int)
        case own(Int)
    }

    private struct Node {
        /// Its clock is so far ahead.
        var offset: UInt64
        var budget = BorrowedBudget()
        var source: Source?
        var pending = 0
        var isBusy = false
    }

    private struct Event {
        var at: UInt64
        var node: Int
        var askedAt: UInt64
        /// nil: the lender is to be asked; else its answer, of that window; an answer without a loan is none.
        var answer: (loan: BudgetLoan?, window: Int)?
    }

    private static let rule = RateWindow.Rule(tokens: 50, seconds: 1)
    private var generator: SeededGenerator
    private var lender = BudgetLender()
    private let lenderOffset: UInt64
    private var nodes: [Node]
    private var events: [Event] = []
    private let slowest: UInt64
    private let losses: Int
    private(set) var windows: [Window] = []
    private(set) var ownWindows: [Int] = []
    private(set) var usedTooLate = 0
    private(set) var refused = 0

    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        lenderOffset = .random(in: 0...1 << 40, using: &generator)
        nodes = (0..<3).map { _ in Node(offset: .random(in: 0...1 << 40, using: &generator)) }
        slowest = [0, 3, 40, 700, 1_500].randomElement(using: &generator) ?? 0
        losses = [0, 0, 10].randomElement(using: &generator) ?? 0
        self.generator = generator
    }

    mutating func run(milliseconds: UInt64) {
        var now: UInt64 = 0
        while now < milliseconds {
            for index in nodes.indices where nodes[index].isBusy || Int.random(in: 0..<400, using: &generator) == 0 {
                nodes[index].isBusy = Int.random(in: 0..<600, using: &generator) > 0
                for _ in 0..<Int.random(in: 0...3, using: &generator) { call(index, at: now) }
            }
            let due = events.filter { $0.at <= now }
            events.removeAll { $0.at <= now }
            for event in due { happen(event, at: now) }
            now += 1
        }
    }

    private mutating func delay() -> UInt64 { .random(in: 0...slowest, using: &generator) }

    private mutating func call(_ index: Int, at now: UInt64) {
        let local = now + nodes[index].offset
        switch nodes[index].budget.take(Self.rule, at: local) {
        case .decided(let decision):
            if !decision.isAllowed { refused += 1 } else { used(by: index, at: now) }
        case .wait: nodes[index].pending += 1
        case .ask:
            nodes[index].pending += 1
            if Int.random(in: 0..<100, using: &generator) < losses {
                // Lost, or refused, or too late: the desk gives up after its patience.
                events.append(Event(at: now + 500, node: index, askedAt: local, answer: (nil, 0)))
            } else {
                events.append(Event(at: now + delay(), node: index, askedAt: local))
            }
        }
    }

    private mutating func used(by index: Int, at now: UInt64) {
        switch nodes[index].source {
        case .window(let window)?:
            windows[window].used += 1
            if now >= windows[window].closes { usedTooLate += 1 }
        case .own(let own)?: ownWindows[own] += 1
        case nil: usedTooLate += 1
        }
    }

    private mutating func happen(_ event: Event, at now: UInt64) {
        guard let answer = event.answer else {
            let loan = lender.lend(
                BudgetLoanRequest(
                    bucket: .everything, place: 0, rule: Self.rule, wanted: nodes[event.node].budget.wanted,
                    borrower: NodeID(rawValue: UInt16(event.node + 1))!), at: now + lenderOffset)
            let closes = now + loan.closesAfter
            if windows.last?.closes != closes { windows.append(Window(opened: now, closes: closes)) }
            events.append(
                Event(at: now + delay(), node: event.node, askedAt: event.askedAt, answer: (loan, windows.count - 1)))
            return
        }
        let local = now + nodes[event.node].offset
        if let loan = answer.loan {
            let isGood = nodes[event.node].budget.answered(loan, to: Self.rule, askedAt: event.askedAt, at: local)
            if isGood, loan.granted > 0 {
                nodes[event.node].source = .window(answer.window)
            } else if !isGood {
                // It may lend itself now.
                ownWindows.append(0)
                nodes[event.node].source = .own(ownWindows.count - 1)
            }
        } else {
            nodes[event.node].budget.unreachable(Self.rule, at: local)
            ownWindows.append(0)
            nodes[event.node].source = .own(ownWindows.count - 1)
        }
        let waiting = nodes[event.node].pending
        nodes[event.node].pending = 0
        for _ in 0..<waiting { call(event.node, at: now) }
    }
}
