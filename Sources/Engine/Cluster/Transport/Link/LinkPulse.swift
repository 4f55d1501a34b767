import NIOCore

/// Tells whether the peer of one connection is still there, without I/O.
///
/// Each end sends a ping at every tick, whatever else it sends; so a peer that lives is heard at least that often, however full
/// the other direction is. A connection on which nothing came for `silence` is lost. When this end itself stood still (its tick
/// comes late by more than a tick), what it did not hear says nothing, and the count begins anew.
struct LinkPulse {
    enum Verdict: Equatable {
        /// Send a ping with this number.
        case ping(UInt64)
        /// The peer is gone.
        case lost
    }

    private let interval: TimeAmount
    private let silence: TimeAmount
    private var lastHeard: NIODeadline
    private var lastTick: NIODeadline
    private var sentAt: NIODeadline?
    private var number: UInt64 = 0

    /// Heard now. `interval`: how often `tick` is called.
    init(interval: TimeAmount, silence: TimeAmount, now: NIODeadline) {
        self.interval = interval
        self.silence = silence
        lastHeard = now
        lastTick = now
    }

    /// Any bytes came.
    mutating func heard(at now: NIODeadline) {
        lastHeard = now
    }

    /// A pong came: how long the way there and back took, if it answers the last ping.
    mutating func answered(_ number: UInt64, at now: NIODeadline) -> TimeAmount? {
        guard number == self.number, let sent = sentAt else { return nil }
        sentAt = nil
        return now - sent
    }

    /// The interval has passed.
    mutating func tick(at now: NIODeadline) -> Verdict {
        if now - lastTick > interval + interval { lastHeard = now }
        lastTick = now
        guard now - lastHeard < silence else { return .lost }
        number += 1
        sentAt = now
        return .ping(number)
    }
}
