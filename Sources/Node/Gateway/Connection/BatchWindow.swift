import NIOCore

/// When what has gathered for a client in batch mode leaves (protocol 10.4). The first after a pause leaves at once; those that follow
/// hard upon it are collected, so that batching costs latency only where it saves something.
struct BatchWindow {
    /// What becomes of what has gathered by the end of a turn.
    enum Decision: Equatable {
        case send
        /// It waits: ``close()`` is to be called after this time.
        case collect(for: TimeAmount)
        /// It waits for that already.
        case collecting
    }

    /// How long after a batch the next one may leave.
    let length: TimeAmount
    private var lastBatch = NIODeadline.uptimeNanoseconds(0)
    private var isOpen = false

    init(length: TimeAmount) { self.length = length }

    mutating func decide(at now: NIODeadline) -> Decision {
        let opens = lastBatch + length
        guard now < opens else {
            lastBatch = now
            return .send
        }
        guard !isOpen else { return .collecting }
        isOpen = true
        return .collect(for: opens - now)
    }

    /// What was collected is due.
    mutating func close() { isOpen = false }
}
