import Collections
import FluxCore

/// Which changes of a channel are live but not final yet, in order of seq, and who waits until those before a point are.
///
/// Reads wait here, so that no answer shows what may still be taken back (I5).
package struct SettlementQueue {
    private var unsettled: Deque<(sequence: SequenceNumber, isSettled: Bool)> = []
    private var waiters: Deque<(sequence: SequenceNumber, resume: () -> Void)> = []
    /// Every change up to here is final: committed, or a void.
    package private(set) var finalSequence: SequenceNumber

    package init(finalSequence: SequenceNumber) { self.finalSequence = finalSequence }

    package var isEmpty: Bool { unsettled.isEmpty }
    package var count: Int { unsettled.count }

    /// A change was given the next seq.
    package mutating func began(_ sequence: SequenceNumber) {
        precondition(
            sequence == (unsettled.last?.sequence ?? finalSequence) + 1, "seqs of a channel are dense")
        unsettled.append((sequence, false))
    }

    /// The change that began last never left: its number is free again.
    package mutating func abandonLast(_ sequence: SequenceNumber) {
        precondition(unsettled.last?.sequence == sequence, "only the last change can be abandoned")
        unsettled.removeLast()
    }

    /// A change's fate is known. - Returns: what waited for it and may go on now, in order of arrival.
    package mutating func settled(_ sequence: SequenceNumber) -> [() -> Void] {
        guard let first = unsettled.first?.sequence, sequence >= first, sequence < first + Int64(unsettled.count) else {
            return []
        }
        unsettled[Int(sequence - first)].isSettled = true
        while let head = unsettled.first, head.isSettled {
            finalSequence = head.sequence
            unsettled.removeFirst()
        }
        var ready: [() -> Void] = []
        while let waiter = waiters.first, waiter.sequence <= finalSequence {
            waiters.removeFirst()
            ready.append(waiter.resume)
        }
        return ready
    }

    /// Calls `resume` once everything that is live now is final; at once if it is.
    package mutating func whenSettled(_ resume: @escaping () -> Void) {
        guard let last = unsettled.last else { return resume() }
        waiters.append((last.sequence, resume))
    }

    /// The owner steps down: everybody who waits goes on, and finds out for themselves.
    package mutating func abandon() -> [() -> Void] {
        defer { waiters.removeAll() }
        return waiters.map(\.resume)
    }
}
