import Collections
import FluxCluster

/// Where the sessions went that have left a node, so that whoever comes for them later is sent on.
package struct DepartedSessions {
    /// How many are remembered; beyond, the oldest are forgotten, and then their User actors know.
    package static let maximum = 65_536

    /// Where a session went.
    package struct Departed: Equatable, Sendable {
        package let node: NodeID
        /// Names the move.
        package let ticket: UInt64
    }

    private var sessions: [SessionKey: Departed] = [:]
    /// By the time of their leaving; an entry whose ticket is not the remembered one means nothing.
    private var order: Deque<(key: SessionKey, ticket: UInt64, since: UInt64)> = []

    package init() {}

    package subscript(key: SessionKey) -> Departed? { sessions[key] }

    /// A session has left. - Parameter now: milliseconds of the node's clock.
    package mutating func note(_ key: SessionKey, wentTo node: NodeID, ticket: UInt64, at now: UInt64) {
        sessions[key] = Departed(node: node, ticket: ticket)
        order.append((key, ticket, now))
        while order.count > Self.maximum { forgetOldest() }
    }

    /// A session is here again.
    package mutating func isBack(_ key: SessionKey) { sessions[key] = nil }

    /// Forgets what left before a moment, in milliseconds of the node's clock.
    package mutating func forget(before moment: UInt64) {
        while let first = order.first, first.since < moment { forgetOldest() }
    }

    private mutating func forgetOldest() {
        let oldest = order.removeFirst()
        if sessions[oldest.key]?.ticket == oldest.ticket { sessions[oldest.key] = nil }
    }
}
