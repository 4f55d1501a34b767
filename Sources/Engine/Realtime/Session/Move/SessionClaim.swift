import FluxCluster

/// A session is here and follows its streams, but its former holder has not said that it has let go: nothing of it may reach the
/// client, who may have been told more of it there.
///
/// The holder is asked to let go when this node's relays have come to where the session was, or after `settling`. One that is ahead of
/// them could not go on here if its stream changed owners now; its holder still can.
package struct SessionClaim: Equatable, Sendable {
    /// What is to be done with it, once a second.
    package enum Step: Equatable {
        /// The holder is not asked yet.
        case wait
        /// The holder is asked again. - Parameter isPatient: whether a client that waits may go on waiting.
        case askAgain(isPatient: Bool)
        /// The session is over: its holder has ended, and nobody can say what the client was told.
        case abandon
    }

    /// How long the relays are waited for at most, in milliseconds: less than until a holder that ends offers the session to others
    /// (`LoopSessions.offerTime`), and little of the time that such a holder has (`ClusterNode.departureTime`).
    package static let settling: UInt64 = 1_500

    /// Names the move.
    package let ticket: UInt64
    package let holder: NodeID
    /// Since when somebody waits, in milliseconds of the node's clock.
    package var since: UInt64
    /// Whether the relays have been waited for.
    package private(set) var isReached = false

    package init(ticket: UInt64, holder: NodeID, since: UInt64) {
        self.ticket = ticket
        self.holder = holder
        self.since = since
    }

    /// The relays have come to where the session was, or have been waited for long enough: the holder may be asked.
    package mutating func reached() { isReached = true }

    /// - Parameters:
    ///   - now: milliseconds of the node's clock.
    ///   - isOver: whether the holder's process has ended.
    package func step(at now: UInt64, isOver: Bool) -> Step {
        if isOver { return .abandon }
        return isReached ? .askAgain(isPatient: now < since + SessionArrival.patience) : .wait
    }
}
