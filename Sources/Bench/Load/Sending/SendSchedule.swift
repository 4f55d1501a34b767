/// When which sender's next message is due: an open loop. Message k of all is due at k / rate, and belongs to sender k modulo
/// their number; each event loop has some of the senders and looks after their messages alone. Nothing that the server does
/// delays a message's due time.
struct SendSchedule: Sendable {
    /// Nanoseconds of the monotonic clock.
    let start: UInt64
    let end: UInt64
    private let interval: Double
    private let senders: Int
    /// The positions of this loop's senders among all.
    private let own: [Int]
    private var round = 0
    private var next = 0

    /// - Parameters:
    ///   - rate: messages a second, of all senders of all loops.
    ///   - senders: how many there are in all loops.
    init(rate: Double, start: UInt64, end: UInt64, senders: Int, own: [Int]) {
        self.start = start
        self.end = end
        interval = 1e9 / rate
        self.senders = senders
        self.own = own
    }

    /// When the next message is due; nil if none follows.
    var nextDue: UInt64? {
        guard !own.isEmpty else { return nil }
        let due = start + UInt64(Double(round * senders + own[next]) * interval)
        return due < end ? due : nil
    }

    /// Takes the next message, if it is due. - Returns: the sender's index in this loop's list, and when it was due.
    mutating func take(at now: UInt64) -> (sender: Int, due: UInt64)? {
        guard let due = nextDue, due <= now else { return nil }
        let sender = next
        next += 1
        if next == own.count {
            next = 0
            round += 1
        }
        return (sender, due)
    }
}
