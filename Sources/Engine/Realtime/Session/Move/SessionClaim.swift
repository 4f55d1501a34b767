import FluxCluster

/// A session is here and follows its streams, but its former holder has not said that it has let go: nothing of it may reach the
/// client, who may have been told more of it there.
package struct SessionClaim: Equatable, Sendable {
    /// What is to be done with it, once a second.
    package enum Step: Equatable {
        /// The holder is asked again. - Parameter isPatient: whether a client that waits may go on waiting.
        case askAgain(isPatient: Bool)
        /// The session is over: its holder has ended, and nobody can say what the client was told.
        case abandon
    }

    /// Names the move.
    package let ticket: UInt64
    package let holder: NodeID
    /// Since when somebody waits, in milliseconds of the node's clock.
    package var since: UInt64

    package init(ticket: UInt64, holder: NodeID, since: UInt64) {
        self.ticket = ticket
        self.holder = holder
        self.since = since
    }

    /// - Parameters:
    ///   - now: milliseconds of the node's clock.
    ///   - isOver: whether the holder's process has ended.
    package func step(at now: UInt64, isOver: Bool) -> Step {
        isOver ? .abandon : .askAgain(isPatient: now < since + SessionArrival.patience)
    }
}
