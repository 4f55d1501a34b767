import FluxStore

/// Waits for the fate of several coalesced values together. Confined to its actor.
final class PendingCounters {
    private var open = 0
    /// The worst.
    private var result = LaneOutcome.Result.committed
    private var waiting: CheckedContinuation<LaneOutcome.Result, Never>?

    func began() { open += 1 }

    func ended(_ result: LaneOutcome.Result) {
        open -= 1
        // What may have been stored, or not, outweighs what surely was not.
        if result != .committed, self.result != .lost { self.result = result == .lost ? .lost : .withdrawn }
        guard open == 0 else { return }
        waiting?.resume(returning: self.result)
        waiting = nil
    }

    /// What became of all of them, once that is known: `.committed` if all are durable. Asked once.
    func outcome(isolation: isolated (any Actor)? = #isolation) async -> LaneOutcome.Result {
        guard open > 0 else { return result }
        return await withCheckedContinuation { waiting = $0 }
    }
}
