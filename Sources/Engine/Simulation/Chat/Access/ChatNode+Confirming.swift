import FluxCluster
import FluxRealtime

/// How a change comes to be in force everywhere (I7): what `EngineLoop` and `StreamLinks` do around `RelayHub`,
/// `PendingConfirmations` and `RelayLeases`.
extension ChatNode {
    /// Calls back when no session anywhere shows the stream as it was before what has been published up to now: every relay has
    /// applied it, or may not deliver any more.
    func confirm(_ key: StreamKey, upTo position: StreamPosition, _ completion: @escaping () -> Void) {
        let confined = LoopConfined((node: self, completion: completion))
        relays.confirm(key) { confined.value.node.askPeers(key, position, confined.value.completion) }
    }

    private func askPeers(_ key: StreamKey, _ position: StreamPosition, _ completion: @escaping () -> Void) {
        guard isRunning else { return }
        let peers = Set(relays.peers(of: key).filter(mayDeliver))
        guard !peers.isEmpty else { return completion() }
        relays.flushPeers()
        let confined = LoopConfined(completion)
        let head = StreamHead(key: key, position: position)
        let ticket = confirmations.begin(head, peers: peers) { confined.value() }
        // Behind the events that leave at the end of this turn.
        world.atEndOfTurn { [self] in
            for peer in peers.sorted() { askToConfirm(head, ticket, peer) }
        }
    }

    private func askToConfirm(_ head: StreamHead, _ ticket: UInt64, _ peer: NodeID) {
        world.send(from: self, to: peer) { [id] relay in relay.confirmTo(id, head, ticket) }
    }

    private func confirmTo(_ owner: NodeID, _ head: StreamHead, _ ticket: UInt64) {
        // A relay that is behind is asked again.
        guard relays.hasApplied(head.key, head.position) else { return }
        let confined = LoopConfined(self)
        relays.confirm(head.key) {
            let relay = confined.value
            relay.world.send(from: relay, to: owner) { [id = relay.id] owner in
                owner.confirmations.confirmed(ticket, by: id)?()
            }
        }
    }

    /// Twice a second.
    func repeatConfirmations() {
        for resume in confirmations.release(where: { !mayDeliver($0) }) { resume() }
        for (ticket, entry) in confirmations.outstanding.sorted(by: { $0.ticket < $1.ticket }) {
            for peer in entry.peers.sorted() { askToConfirm(entry.subject, ticket, peer) }
        }
    }

    /// Whether a node may still pass on what this one sent it.
    func mayDeliver(_ peer: NodeID) -> Bool { now < leases.grantedUntil(peer) }
}
