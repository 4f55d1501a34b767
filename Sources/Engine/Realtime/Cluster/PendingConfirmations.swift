import FluxCluster

/// What waits until other nodes have confirmed it: a change, until their relays have applied it (I7); what a node that leaves has
/// said, until they have read it. A value without I/O.
///
/// A node is waited for until it has confirmed, or until it is known that it needs not or cannot.
package struct PendingConfirmations<Subject: Sendable>: Sendable {
    /// One matter and whom it waits for.
    package struct Waiting: Sendable {
        package let subject: Subject
        package fileprivate(set) var peers: Set<NodeID>
        fileprivate let completion: @Sendable () -> Void
    }

    private var waiting: [UInt64: Waiting] = [:]
    private var lastTicket: UInt64 = 0

    package init() {}

    /// Begins to wait. - Returns: the ticket that the nodes confirm with.
    package mutating func begin(
        _ subject: Subject, peers: Set<NodeID>, completion: @escaping @Sendable () -> Void
    ) -> UInt64 {
        lastTicket += 1
        waiting[lastTicket] = Waiting(subject: subject, peers: peers, completion: completion)
        return lastTicket
    }

    /// A node has confirmed. - Returns: what waited for it alone.
    package mutating func confirmed(_ ticket: UInt64, by peer: NodeID) -> (@Sendable () -> Void)? {
        waiting[ticket]?.peers.remove(peer)
        return take(ticket)
    }

    /// Lets go of nodes that are not waited for any more. - Returns: what waited for them alone.
    package mutating func release(where isOver: (NodeID) -> Bool) -> [@Sendable () -> Void] {
        waiting.keys.sorted().compactMap { ticket in
            let over = waiting[ticket]?.peers.filter(isOver) ?? []
            waiting[ticket]?.peers.subtract(over)
            return take(ticket)
        }
    }

    /// Waits no longer; nothing is called back.
    package mutating func abandon(_ ticket: UInt64) { waiting[ticket] = nil }

    /// What still waits, with its tickets: the nodes are asked again.
    package var outstanding: [(ticket: UInt64, waiting: Waiting)] { waiting.map { ($0.key, $0.value) } }

    private mutating func take(_ ticket: UInt64) -> (@Sendable () -> Void)? {
        guard let entry = waiting[ticket], entry.peers.isEmpty else { return nil }
        waiting[ticket] = nil
        return entry.completion
    }
}
