import FluxStore

/// Waits for the fate of several coalesced values together. Confined to its actor.
final class PendingCounters {
    private var open = 0
    private var areCommitted = true
    private var waiting: CheckedContinuation<Bool, Never>?

    func began() { open += 1 }

    func ended(_ result: LaneOutcome.Result) {
        open -= 1
        if result != .committed { areCommitted = false }
        guard open == 0 else { return }
        waiting?.resume(returning: areCommitted)
        waiting = nil
    }

    /// Whether all of them are durable, once that is known. Asked once.
    func outcome(isolation: isolated (any Actor)? = #isolation) async -> Bool {
        guard open > 0 else { return areCommitted }
        return await withCheckedContinuation { waiting = $0 }
    }
}
