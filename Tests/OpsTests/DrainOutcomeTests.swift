import FluxStore
import Testing

@testable import FluxOps

@Suite("What a drain has come to")
struct DrainOutcomeTests {
    private func status(
        isDone: Bool = true, slots: Int = 512, isInMinority: Bool = false, _ others: [(Bool, NodeState)]
    ) -> FluxOps.ExitStatus? {
        DrainOutcome(
            isDone: isDone, slots: slots, isInMinority: isInMinority,
            others: others.map { DrainOutcome.Other(isReached: $0.0, state: $0.1) }
        ).failure?.status
    }

    @Test("Without slots a node is drained, and so is the only one of its cluster with them")
    func drained() {
        #expect(status(slots: 0, [(true, .active)]) == nil)
        #expect(status(slots: 0, [(false, .active)]) == nil)
        #expect(status(slots: 1_024, []) == nil)
    }

    @Test("With slots that nobody can take there is no quorum")
    func nobody() {
        #expect(status([(false, .active)]) == .noQuorum)
        #expect(status([(false, .draining), (false, .left)]) == .noQuorum)
        #expect(status(isInMinority: true, [(true, .active), (false, .active), (false, .active)]) == .noQuorum)
        #expect(status(isDone: false, [(false, .active)]) == .noQuorum)
        #expect(status(isDone: false, isInMinority: true, [(true, .active), (false, .active)]) == .noQuorum)
    }

    @Test("Any other reason is a failure without a number of its own")
    func otherwise() {
        // They could be reached, and do not take any.
        #expect(status([(true, .draining)]) == .failure)
        #expect(status([(false, .left)]) == .failure)
        // It takes longer.
        #expect(status(isDone: false, [(true, .active)]) == .failure)
        #expect(status([(true, .active), (false, .active)]) == .failure)
    }
}
