/// Links: what the transport sees of the other members.
extension Membership {
    /// A link to the member is there, its handshake done just now.
    public mutating func linkMade(to peer: NodeIdentity, at now: Duration) -> [Action] {
        begin(at: now)
        guard peer.id != identity.id, !hasLeft else { return finish() }
        if known[peer.id] == nil {
            // The transport lets only members in; the row is on its way.
            learn(ClusterMember(identity: peer, address: ""))
            askForMembers()
        }
        guard let entry = known[peer.id], peer.incarnation >= entry.state.incarnation else { return finish() }
        known[peer.id]?.isLinked = true
        known[peer.id]?.isLinkDeaf = false
        known[peer.id]?.heardAt = now
        isReportStale = true
        // It answered the handshake. What it was accused of before it has to refute itself.
        learn(
            .health(
                HealthRumour(
                    node: peer.id, incarnation: peer.incarnation, refutation: 0, health: .alive, accuser: peer.id)))
        // One of the two begins; each learns what the other knows.
        if identity.id < peer.id { post(.exchange, to: peer.id, news: everything) }
        return finish()
    }

    /// The link to the member broke, or was broken.
    public mutating func linkLost(to node: NodeID, at now: Duration) -> [Action] {
        begin(at: now)
        guard known[node]?.isLinked == true else { return finish() }
        known[node]?.isLinked = false
        known[node]?.isLinkDeaf = false
        known[node]?.heardAt = nil
        isReportStale = true
        // Others may reach it: that is found out next.
        round.prefer(node)
        return finish()
    }

    /// The member's host answered that no such process listens.
    public mutating func linkRefused(by node: NodeID, at now: Duration) -> [Action] {
        begin(at: now)
        guard let entry = known[node], !entry.isLinked, entry.state.health < .dead else { return finish() }
        suspect(node, by: identity.id)
        known[node]?.suspicion?.refused(at: now)
        return finish()
    }

    mutating func markLink(to node: NodeID, isDeaf: Bool) {
        guard let entry = known[node], entry.isLinked, entry.isLinkDeaf != isDeaf else { return }
        known[node]?.isLinkDeaf = isDeaf
        isReportStale = true
    }
}
