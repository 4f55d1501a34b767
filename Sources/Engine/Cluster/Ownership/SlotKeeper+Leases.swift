import FluxCore

/// Whose the slots are: what is learned of it, and how this node comes to own and to lose them.
extension SlotKeeper {
    // MARK: Learning

    mutating func learn(_ rows: [Lease]) {
        hasReadLeases = true
        reconsider()
        var gained: [Slot: Epoch] = [:]
        var gone: [Slot: Epoch] = [:]
        var news: [Route] = []
        for row in rows {
            let isMine = row.node == identity.id && row.incarnation == identity.incarnation
            let isNew = leases.learn(row.slot, holder: row.node, incarnation: row.incarnation, epoch: row.epoch)
            conclude(row, isMine: isMine)
            if isMine {
                // Somebody handed it over and its word was lost, or an answer of Postgres's was.
                if held[row.slot] != row.epoch, row.epoch > over[row.slot] ?? 0 { gained[row.slot] = row.epoch }
            } else {
                if isNew { news.append(Route(slot: row.slot, node: row.node, epoch: row.epoch)) }
                if let epoch = held[row.slot], epoch < row.epoch { gone[row.slot] = epoch }
            }
        }
        lose(gone)
        if !news.isEmpty { actions.append(.learn(news)) }
        gain(gained)
    }

    /// Another node says who owns what.
    mutating func learn(_ routes: [Route]) {
        var gone: [Slot: Epoch] = [:]
        var news: [Route] = []
        for route in routes where route.epoch > leases[route.slot].epoch {
            guard route.node != identity.id else {
                // It should know itself.
                needsLeases = true
                continue
            }
            let peer = peers[route.node]
            leases.learn(route.slot, holder: route.node, incarnation: peer?.incarnation, epoch: route.epoch)
            news.append(route)
            if peer?.health.isLiving != true { mayTake = true }
            if let epoch = held[route.slot], epoch < route.epoch { gone[route.slot] = epoch }
        }
        lose(gone)
        if !news.isEmpty { actions.append(.learn(news)) }
    }

    /// The leases are this node's.
    mutating func gain(_ slots: [Slot: Epoch]) {
        func isNew(_ slot: Slot, _ epoch: Epoch) -> Bool { epoch > held[slot] ?? over[slot] ?? 0 }
        let slots = slots.allSatisfy { isNew($0.key, $0.value) } ? slots : slots.filter { isNew($0.key, $0.value) }
        guard !slots.isEmpty else { return }
        // Who listens has to be told of the first ones.
        if held.isEmpty { needsJudging = true }
        let routes = routes(slots)
        for route in routes {
            let (slot, epoch) = (route.slot, route.epoch)
            if wantedOwner(of: slot) != identity.id { pendingMoves.append(slot) }
            held[slot] = epoch
            leases.learn(slot, holder: identity.id, incarnation: identity.incarnation, epoch: epoch)
            consents[slot] = nil
            offers.remove(slot)
        }
        actions.reserveCapacity(actions.count + 1 + peers.linked.count)
        actions.append(.takeUp(slots))
        for node in peers.linked { actions.append(.send(.routes(routes), to: node)) }
    }

    /// The leases of these epochs are gone.
    mutating func lose(_ slots: [Slot: Epoch]) {
        var gone: [Slot: Epoch] = [:]
        for (slot, epoch) in slots {
            guard let last = held[slot], last <= epoch else { continue }
            held[slot] = nil
            over[slot] = max(over[slot] ?? 0, last)
            handovers[slot] = nil
            gone[slot] = last
        }
        guard !gone.isEmpty else { return }
        reconsider()
        actions.append(.giveUp(gone))
    }

    /// Tells members whose link has come up what this node owns.
    mutating func greet() {
        let linked = Set(peers.linked)
        if !held.isEmpty {
            for node in linked.subtracting(greeted).sorted() {
                actions.append(.send(.routes(routes), to: node))
            }
            greeted = linked
        }
        greeted.formIntersection(linked)
    }

    // MARK: Verdicts

    /// Writes down who is held dead, and takes it back where that has changed.
    mutating func judgeMembers() {
        guard rules.hasDatabase(at: now) else { return }
        for node in verdicts.keys.sorted() where view.members[node] == nil {
            verdicts[node] = nil
            actions.append(.acquit(node))
        }
        for (node, entry) in view.members.sorted(by: { $0.key < $1.key }) where node != identity.id {
            let isDead = entry.health == .dead
            if let verdict = verdicts[node], !isDead || verdict.subject != entry.member.identity {
                verdicts[node] = nil
                actions.append(.acquit(node))
            }
            if isDead, verdicts[node] == nil, !failedVerdicts.contains(node) {
                verdicts[node] = Verdict(subject: entry.member.identity)
                actions.append(.condemn(entry.member.identity))
            }
        }
    }

    /// The verdict is written, or was not.
    public mutating func condemned(_ subject: NodeIdentity, succeeded: Bool, at now: Duration) -> [Action] {
        begin(at: now)
        if verdicts[subject.id]?.subject == subject {
            if succeeded {
                verdicts[subject.id]?.isWritten = true
                mayTake = true
                mayTakeOverAt = min(mayTakeOverAt, now)
            } else {
                verdicts[subject.id] = nil
                failedVerdicts.insert(subject.id)
            }
        }
        return finish()
    }

    // MARK: Taking over

    /// Asks for the slots that should be here and whose owners have lost them, or may have.
    mutating func take() {
        guard mayTake, isFit, hasReadLeases, asked == nil, mayTakeOverAt <= now, rules.hasDatabase(at: now) else {
            return
        }
        let (slots, consented) = takeable
        guard !slots.isEmpty else {
            mayTake = false
            return
        }
        asked = slots
        actions.append(.takeOver(slots, consented: consented))
    }

    /// The slots that should be here and can be taken, and those of them whose owners have agreed.
    private var takeable: (slots: [Slot], consented: [Slot: Epoch]) {
        var slots: [Slot] = []
        var consented: [Slot: Epoch] = [:]
        for slot in Self.slots where wantedOwner(of: slot) == identity.id && held[slot] == nil {
            guard isTakeable(slot) else { continue }
            slots.append(slot)
            if let epoch = consent(to: slot) { consented[slot] = epoch }
        }
        return (slots, consented)
    }

    private func isTakeable(_ slot: Slot) -> Bool {
        let lease = leases[slot]
        guard let holder = lease.holder else { return true }
        if consent(to: slot) == lease.epoch { return true }
        guard holder != identity.id else { return lease.incarnation.map { $0 < identity.incarnation } ?? false }
        guard let peer = peers[holder], peer.health != .left else { return true }
        if let incarnation = lease.incarnation, incarnation < peer.incarnation { return true }
        if absentHolders.missing.contains(holder) { return true }
        return peer.health == .dead && verdicts[holder]?.isWritten == true
    }

    /// These slots are this node's now, of those that were asked for; nil when Postgres could not be asked, or its answer
    /// was lost.
    public mutating func tookOver(_ epochs: [Slot: Epoch]?, at now: Duration) -> [Action] {
        begin(at: now)
        let asked = asked ?? []
        self.asked = nil
        gain(epochs ?? [:])
        if let epochs, epochs.count >= asked.count {
            takeOverDelay = configuration.takeOverRetry.lowerBound
        } else {
            // Too early, or somebody was faster.
            for slot in asked where epochs != nil && epochs?[slot] == nil { consents[slot] = nil }
            mayTakeOverAt = now + takeOverDelay
            takeOverDelay = min(takeOverDelay * 2, configuration.takeOverRetry.upperBound)
            needsLeases = true
        }
        return finish()
    }

    // MARK: Consent

    /// The epoch at which the slot's owner agrees to lose it, if it still does.
    private func consent(to slot: Slot) -> Epoch? {
        guard let consent = consents[slot], consent.until > now else { return nil }
        return consent.epoch
    }

    /// Without a way to Postgres this node tells those who have one that they may take its slots. When Postgres comes back
    /// for all, those who notice first have it for a moment before the others; that is no reason to move anything.
    mutating func consent() {
        guard isWithoutDatabase, consentAt <= now, !held.isEmpty, let othersReachSince,
            now - othersReachSince >= configuration.databasePatience
        else { return }
        consentAt = now + configuration.consentInterval
        var routes: [NodeID: [Route]] = [:]
        for route in self.routes where !handovers.contains(route.slot) {
            guard let node = wantedOwner(of: route.slot), peers[node]?.hasDatabase == true else { continue }
            routes[node, default: []].append(route)
        }
        for (node, routes) in routes.sorted(by: { $0.key < $1.key }) {
            actions.append(.send(.consent(routes), to: node))
        }
    }

    mutating func hearConsent(_ routes: [Route], from owner: NodeID) {
        let routes = routes.filter { $0.node == owner }
        learn(routes)
        for route in routes where route.epoch >= leases[route.slot].epoch {
            consents[route.slot] = Consent(epoch: route.epoch, until: now + configuration.consentInterval * 2)
        }
        mayTake = true
        mayTakeOverAt = min(mayTakeOverAt, now)
    }
}
