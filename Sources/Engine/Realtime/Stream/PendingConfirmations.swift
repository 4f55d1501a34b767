import FluxCluster

/// Which changes wait for other nodes' relays to apply them (I7). A value without I/O.
///
/// A node is waited for until it has said so, or may not deliver any more what it was sent before.
package struct PendingConfirmations {
    /// One change and whom it waits for.
    package struct Waiting {
        package let key: StreamKey
        package let position: StreamPosition
        package fileprivate(set) var peers: Set<NodeID>
        var completion: @Sendable () -> Void
    }

    private var waiting: [UInt64: Waiting] = [:]
    private var lastTicket: UInt64 = 0

    package init() {}

    /// Begins to wait. - Returns: the ticket that the nodes confirm with.
    package mutating func begin(
        _ key: StreamKey, _ position: StreamPosition, peers: Set<NodeID>, completion: @escaping @Sendable () -> Void
    ) -> UInt64 {
        lastTicket += 1
        waiting[lastTicket] = Waiting(key: key, position: position, peers: peers, completion: completion)
        return lastTicket
    }

    /// A node has applied a change. - Returns: what waited for it alone.
    package mutating func confirmed(_ ticket: UInt64, by peer: NodeID) -> (@Sendable () -> Void)? {
        waiting[ticket]?.peers.remove(peer)
        return take(ticket)
    }

    /// Lets go of nodes that may not deliver any more. - Returns: what waited for them alone.
    package mutating func release(where isOver: (NodeID) -> Bool) -> [@Sendable () -> Void] {
        waiting.keys.sorted().compactMap { ticket in
            let over = waiting[ticket]?.peers.filter(isOver) ?? []
            waiting[ticket]?.peers.subtract(over)
            return take(ticket)
        }
    }

    /// What still waits, with its tickets: the nodes are asked again.
    package var outstanding: [(ticket: UInt64, waiting: Waiting)] { waiting.map { ($0.key, $0.value) } }

    private mutating func take(_ ticket: UInt64) -> (@Sendable () -> Void)? {
        guard let entry = waiting[ticket], entry.peers.isEmpty else { return nil }
        waiting[ticket] = nil
        return entry.completion
    }
}
