import FluxCluster
import FluxCore

/// Another node is taking a session. Until that has all of it and follows its streams, the session goes on here as one that waits for
/// its client, and whoever comes for it gets it (design 4). A state machine without I/O.
package struct SessionDeparture: Equatable, Sendable {
    /// What its holder knows of a session that is asked for.
    package struct Standing {
        let isReady: Bool
        /// It has come here itself and is not settled.
        let isClaimed: Bool
        let userID: UserID
        /// Whether all is held that its client does not have.
        let reachesBack: Bool

        package init(isReady: Bool, isClaimed: Bool, userID: UserID, reachesBack: Bool) {
            self.isReady = isReady
            self.isClaimed = isClaimed
            self.userID = userID
            self.reachesBack = reachesBack
        }
    }

    /// What comes of the taker's following the session's streams.
    package enum Freezing: Equatable {
        /// The session has got more streams meanwhile: it is described again.
        case describe
        /// It is sent as it is now.
        case send
    }

    /// Names the move; a later one takes the place of an earlier.
    package let ticket: UInt64
    package let node: NodeID
    /// The last dispatch that the client has.
    package let sequence: UInt64
    /// Whether the node has been sent the session: what it is answered from then on is for there.
    package private(set) var isFrozen = false

    private init(ticket: UInt64, node: NodeID, sequence: UInt64) {
        self.ticket = ticket
        self.node = node
        self.sequence = sequence
    }

    /// A client of the session has come to another node, `node`.
    /// - Returns: the session's departure, in place of an earlier one, or why there is none.
    package static func begin(
        _ session: Standing, by userID: UserID, after sequence: UInt64, ticket: UInt64, to node: NodeID
    ) -> Result<SessionDeparture, SessionMoveRefusal> {
        guard !session.isClaimed else { return .failure(.notNow) }
        guard session.isReady, session.userID == userID, session.reachesBack else {
            return .failure(.impossible)
        }
        return .success(SessionDeparture(ticket: ticket, node: node, sequence: sequence))
    }

    /// Whether this is the move that a message speaks of.
    package func isFor(_ ticket: UInt64, _ node: NodeID) -> Bool { self.ticket == ticket && self.node == node }

    /// The session has seen its streams up to where the taker follows them.
    /// - Parameters:
    ///   - streams: what the session listens to now.
    ///   - reached: what the taker follows.
    package mutating func freeze(_ streams: [StreamKey], reached: [StreamKey: StreamPosition]) -> Freezing {
        guard streams.allSatisfy({ reached[$0] != nil }) else { return .describe }
        isFrozen = true
        return .send
    }
}
