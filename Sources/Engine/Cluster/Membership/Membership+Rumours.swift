/// News: what it changes here, and how it is spread (SWIM 3.2, 4.1 and 4.2; Lifeguard IV.B).
extension Membership {
    // MARK: Learning

    /// What a message says by having come.
    mutating func hear(_ message: MembershipMessage, from sender: NodeID) {
        // A message of an incarnation that is over says nothing.
        guard let index = known.index(forKey: sender),
            message.incarnation >= known.values[index].state.incarnation
        else { return }
        known.values[index].heardAt = now
        learn(
            HealthRumour(
                node: sender, incarnation: message.incarnation, refutation: message.refutation, health: .alive,
                accuser: sender))
    }

    mutating func learn(_ rumour: Rumour) {
        switch rumour {
        case .health(let rumour) where rumour.node == identity.id: hearOfMyself(rumour)
        case .health(let rumour): learn(rumour)
        case .report(let report): learn(report)
        }
    }

    /// A row of the table of members.
    mutating func learn(_ member: ClusterMember) {
        let node = member.identity.id
        guard node != identity.id else {
            if member.identity.incarnation > identity.incarnation { actions.append(.superseded) }
            if member.identity == identity { ownMember = member }
            return
        }
        if known[node] == nil {
            known[node] = Known(
                member: member,
                state: HealthRumour(
                    node: node, incarnation: member.identity.incarnation, refutation: 0, health: .unheard,
                    accuser: identity.id))
        }
        guard var entry = known[node] else { return }
        // The row may have been read before the news that came since.
        let incarnation = max(entry.state.incarnation, member.identity.incarnation)
        entry.member = member
        entry.member.identity = NodeIdentity(name: member.identity.name, id: node, incarnation: incarnation)
        known[node] = entry
        if member.identity.incarnation > entry.state.incarnation {
            adopt(
                HealthRumour(
                    node: node, incarnation: incarnation, refutation: 0, health: .unheard, accuser: identity.id))
        }
        if member.standing == .left, member.identity.incarnation == incarnation, entry.state.health != .left {
            adopt(
                HealthRumour(node: node, incarnation: incarnation, refutation: 0, health: .left, accuser: node))
        }
    }

    private mutating func learn(_ rumour: HealthRumour) {
        guard let entry = known[rumour.node] else { return askForMembers() }
        guard rumour.overrides(entry.state) else {
            // The same suspicion by another member confirms it, and is spread as such.
            guard rumour.health == .suspect, entry.state.health == .suspect,
                rumour.incarnation == entry.state.incarnation, rumour.refutation == entry.state.refutation,
                known[rumour.node]?.suspicion?.confirm(by: rumour.accuser) == true
            else { return }
            rumours.add(.health(rumour))
            return
        }
        guard rumour.health == .dead, isFresh(entry) else { return adopt(rumour) }
        // Hearsay against own ears: it gets the chance to refute.
        var suspicion = rumour
        suspicion.health = .suspect
        if suspicion.overrides(entry.state) { adopt(suspicion) }
        post(.gossip, to: rumour.node, news: [.health(rumour)])
    }

    private func isFresh(_ entry: Known) -> Bool {
        guard entry.hasWorkingLink, let heardAt = entry.heardAt else { return false }
        return now - heardAt < configuration.freshness
    }

    private mutating func learn(_ report: NodeReport) {
        guard report.node != identity.id, let entry = known[report.node] else { return }
        guard report.incarnation >= entry.state.incarnation, entry.report.map(report.isNewer) ?? true else { return }
        known[report.node]?.report = report
        rumours.add(.report(report))
        actions.append(.reported(report))
    }

    /// Whoever says that this node is not alive is contradicted.
    private mutating func hearOfMyself(_ rumour: HealthRumour) {
        guard rumour.incarnation <= identity.incarnation else {
            actions.append(.superseded)
            return
        }
        guard rumour.incarnation == identity.incarnation, rumour.refutation >= refutation,
            rumour.health != .alive || rumour.refutation > refutation
        else { return }
        refutation = rumour.refutation + 1
        localHealth.worsen()
        rumours.add(.health(ownState))
        gossipAt = now
    }

    /// Takes news over: it is the latest about the member, and is spread.
    private mutating func adopt(_ rumour: HealthRumour) {
        guard var entry = known[rumour.node] else { return }
        let before = entry.state
        let isNewIncarnation = rumour.incarnation > before.incarnation
        entry.state = rumour
        entry.member.identity = NodeIdentity(
            name: entry.member.identity.name, id: rumour.node, incarnation: rumour.incarnation)
        if isNewIncarnation {
            entry.report = entry.report.flatMap { $0.incarnation == rumour.incarnation ? $0 : nil }
        }
        entry.suspicion = rumour.health == .suspect ? suspicion(of: rumour.node, by: rumour.accuser) : nil
        known[rumour.node] = entry
        if rumour.health != .unheard { rumours.add(.health(rumour)) }
        if rumour.health == .suspect {
            // Own judgement confirms or refutes it soonest.
            round.prefer(rumour.node)
        }
        guard isNewIncarnation || before.health != rumour.health else { return }
        actions.append(
            .changed(
                MemberChange(identity: entry.member.identity, before: before.health, health: rumour.health)))
    }

    private func suspicion(of node: NodeID, by accuser: NodeID) -> Suspicion {
        // All that are well, with this node and without the accuser, could confirm it.
        let others = known.count { $0.key != node && $0.value.state.health == .alive }
        return Suspicion(
            by: accuser, others: others, healthScore: localHealth.score, configuration: configuration, at: now)
    }

    mutating func forget(_ node: NodeID) {
        guard let entry = known.removeValue(forKey: node) else { return }
        rumours.forget(node)
        if entry.isLinked { isReportStale = true }
        guard entry.state.health != .left else { return }
        actions.append(
            .changed(MemberChange(identity: entry.member.identity, before: entry.state.health, health: .left)))
    }

    // MARK: Judging

    /// This node has reason to suspect the member.
    mutating func suspect(_ node: NodeID, by accuser: NodeID) {
        guard let entry = known[node] else { return }
        var rumour = entry.state
        rumour.health = .suspect
        rumour.accuser = accuser
        if entry.state.health < .suspect {
            adopt(rumour)
        } else if known[node]?.suspicion?.confirm(by: accuser) == true {
            rumours.add(.health(rumour))
        }
        gossipAt = min(gossipAt, now)
    }

    /// The member was found alive, which is news only when nothing was heard of it before: a suspicion has to be refuted
    /// by itself, so that everybody learns of it.
    mutating func foundAlive(_ node: NodeID) {
        guard var rumour = known[node]?.state, rumour.health == .unheard else { return }
        rumour.health = .alive
        adopt(rumour)
    }

    mutating func expireSuspicions() {
        guard known.values.contains(where: { $0.suspicion != nil }) else { return }
        for (_, entry) in sorted {
            guard let deadline = entry.suspicion?.deadline, deadline <= now else { continue }
            var rumour = entry.state
            rumour.health = .dead
            rumour.accuser = identity.id
            adopt(rumour)
            gossipAt = min(gossipAt, now)
        }
    }

    // MARK: Spreading

    /// Sends news to a few members, chosen at random.
    mutating func gossip() {
        gossipAt = now + configuration.gossipInterval
        renewReport()
        guard !rumours.isEmpty else { return }
        let reachable = sorted.filter { $0.value.state.health < .dead && $0.value.isLinked }.map(\.key)
        for node in reachable.shuffled(using: &random).prefix(configuration.gossipFanout) {
            post(.gossip, to: node)
        }
        rumours.endRound(atMost: configuration.rumoursPerMessage, sendingEach: newsRounds)
    }

    private mutating func renewReport() {
        guard isReportStale else { return }
        isReportStale = false
        ownReport.number += 1
        ownReport.links = sorted.filter(\.value.hasWorkingLink).map(\.key)
        rumours.add(.report(ownReport))
        actions.append(.reported(ownReport))
    }

    /// Exchanges everything with one member.
    mutating func exchange() {
        exchangeAt = now + configuration.exchangeInterval
        let reachable = sorted.filter { $0.value.state.health < .dead && $0.value.isLinked }.map(\.key)
        guard let node = reachable.randomElement(using: &random) else { return }
        post(.exchange, to: node, news: everything)
    }

    /// All that this node knows. As large as the cluster: at most two pieces a member.
    var everything: [Rumour] {
        var all: [Rumour] = [.health(ownState)]
        if ownReport.number > 0 { all.append(.report(ownReport)) }
        for (_, entry) in sorted {
            if entry.state.health != .unheard { all.append(.health(entry.state)) }
            if let report = entry.report { all.append(.report(report)) }
        }
        return all
    }
}
