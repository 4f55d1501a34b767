/// One message that the load consists of, from the moment it is due.
struct SendRecord: Sendable {
    enum State: Sendable, Equatable {
        /// Not acknowledged, and not given up.
        case open
        /// Durable: this message, at this number.
        case acknowledged(id: UInt64, seq: Int)
        /// Refused for good: nothing of it may be stored.
        case refused
        /// Nobody knows: the connection broke, and the run does not repeat.
        case unknown
    }

    /// The channel's number in the run's table.
    let channel: Int
    /// Who sends it: the session's number in its loop.
    let sender: Int
    /// Nanoseconds of the monotonic clock.
    let due: UInt64
    var state = State.open
    /// How often it was sent.
    var attempts = 0
    /// When it was sent last.
    var sentAt: UInt64 = 0
    /// The way it takes now, where that is not the run's.
    var route: SendRoute?
}
