import FluxCore

/// Planned hand-overs, from both ends.
extension SlotKeeper {
    // MARK: The owner's end

    /// Begins to give away slots that should be elsewhere, as many as may be under way.
    mutating func handOver() {
        if !resting.takeDue(at: now).isEmpty { mayMove = true }
        if mayMove {
            mayMove = false
            pendingMoves = held.compactMap { slot, _ in
                wantedOwner(of: slot) != identity.id && !handovers.contains(slot) ? slot : nil
            }
            pendingMoves.reverse()
        }
        offerSlots()
        let isDone = isDraining && handovers.isEmpty && (held.isEmpty || view.successors.isEmpty)
        guard isDone != hasDrained else { return }
        hasDrained = isDone
        actions.append(.drained(isDone))
    }

    /// Offers of the slots to give away as many as may be under way. One that cannot go now is looked at again when
    /// something has changed.
    private mutating func offerSlots() {
        guard !pendingMoves.isEmpty, rules.hasDatabase(at: now) else { return }
        while handovers.count < configuration.handovers, let slot = pendingMoves.popLast() {
            guard let epoch = held[slot], !handovers.contains(slot), !resting.contains(slot),
                let successor = successor(of: slot)
            else { continue }
            handovers[slot] = Handover(
                slot: slot, epoch: epoch, successor: successor, deadline: now + configuration.longestCopy)
            actions.append(.send(.offer(slot, epoch), to: successor.id))
        }
    }

    /// Who should own the slot instead of this node, if it can be given the slot now.
    private func successor(of slot: Slot) -> NodeIdentity? {
        guard let node = goal(of: slot), node != identity.id, let peer = peers[node], peer.isLinked,
            peer.health == .alive, peer.hasDatabase
        else { return nil }
        return view.members[node]?.member.identity
    }

    /// Where the slot should be; or, when this node must not keep it and has no link there, the best of those to whom it
    /// has one, who will send it on.
    private func goal(of slot: Slot) -> NodeID? {
        guard let node = wantedOwner(of: slot) else { return nil }
        return isFit || peers[node]?.isLinked == true ? node : detour(of: slot)
    }

    private func detour(of slot: Slot) -> NodeID? {
        Rendezvous(placement.candidates.filter { peers[$0.node]?.isLinked == true }).owner(of: slot)
    }

    /// A node says something about slots.
    public mutating func received(_ message: SlotMessage, from sender: NodeID, at now: Duration) -> [Action] {
        begin(at: now)
        switch message {
        case .offer(let slot, let epoch): hearOffer(of: slot, epoch, from: sender)
        case .accept(let slot, let epoch):
            guard moves(slot, epoch, to: sender, in: .offered) else { break }
            handovers[slot]?.phase = .copying
            actions.append(.copy(slot, epoch, to: sender))
        case .decline(let slot, let epoch):
            guard moves(slot, epoch, to: sender, in: .offered) else { break }
            callOff(slot)
        case .callOff(let slot, let epoch):
            guard let offer = offers[slot], offer.owner == sender, offer.epoch == epoch else { break }
            offers.remove(slot)
            actions.append(.dropCopy(slot, epoch))
        case .granted(let slot, let epoch):
            // Who owned it knows that it is this node's now.
            guard epoch > leases[slot].epoch, leases[slot].holder == nil || leases[slot].holder == sender else {
                needsLeases = true
                break
            }
            gain([slot: epoch])
        case .consent(let routes): hearConsent(routes, from: sender)
        case .routes(let routes): learn(routes)
        }
        return finish()
    }

    /// The state, or the difference since, has arrived at the successor; or could not be sent.
    public mutating func copied(_ slot: Slot, _ epoch: Epoch, succeeded: Bool, at now: Duration) -> [Action] {
        begin(at: now)
        guard let handover = handovers[slot], handover.epoch == epoch else { return finish() }
        switch handover.phase {
        case .copying where succeeded:
            handovers[slot]?.phase = .flushing
            handovers[slot]?.deadline = now + configuration.longestPause
            actions.append(.pauseAndFlush(slot, epoch))
        case .sendingDifference where succeeded && handover.deadline > now:
            handovers[slot]?.phase = .releasing
            actions.append(.release(slot, epoch, to: handover.successor))
        case .copying, .sendingDifference: callOff(slot)
        case .offered, .flushing, .releasing, .uncertain: break
        }
        return finish()
    }

    /// All that the slot has decided is committed; or could not be.
    public mutating func flushed(_ slot: Slot, _ epoch: Epoch, succeeded: Bool, at now: Duration) -> [Action] {
        begin(at: now)
        guard let handover = handovers[slot], handover.epoch == epoch, handover.phase == .flushing else {
            return finish()
        }
        if succeeded {
            handovers[slot]?.phase = .sendingDifference
            actions.append(.sendDifference(slot, epoch, to: handover.successor.id))
        } else {
            callOff(slot)
        }
        return finish()
    }

    /// What became of a release.
    public enum ReleaseOutcome: Hashable, Sendable {
        /// The successor owns the slot, at this epoch.
        case released(Epoch)
        /// Nothing was changed.
        case refused
        /// There was no answer.
        case unknown
    }

    /// What became of the release of the slot that was held at `epoch`.
    public mutating func released(
        _ slot: Slot, _ epoch: Epoch, _ outcome: ReleaseOutcome, at now: Duration
    ) -> [Action] {
        begin(at: now)
        guard let handover = handovers[slot], handover.epoch == epoch, handover.phase == .releasing else {
            return finish()
        }
        switch outcome {
        case .released(let newEpoch): complete(handover, newEpoch)
        case .refused:
            callOff(slot)
            needsLeases = true
        case .unknown:
            handovers[slot]?.phase = .uncertain
            needsLeases = true
        }
        return finish()
    }

    /// A lease was read: it tells what became of a release whose answer was lost.
    mutating func conclude(_ row: Lease, isMine: Bool) {
        guard let handover = handovers[row.slot], handover.phase == .uncertain else { return }
        if isMine, row.epoch == handover.epoch {
            callOff(row.slot)
        } else if row.node == handover.successor.id, row.epoch > handover.epoch {
            complete(handover, row.epoch)
        }
        // Anything else is somebody else's, which `learn` takes care of.
    }

    private mutating func complete(_ handover: Handover, _ epoch: Epoch) {
        let (slot, successor) = (handover.slot, handover.successor)
        handovers[slot] = nil
        held[slot] = nil
        over[slot] = max(over[slot] ?? 0, handover.epoch)
        leases.learn(slot, holder: successor.id, incarnation: successor.incarnation, epoch: epoch)
        actions.append(.send(.granted(slot, epoch), to: successor.id))
        actions.append(.sendOn(slot, to: successor.id, epoch))
    }

    private mutating func callOff(_ slot: Slot) {
        guard let handover = handovers[slot] else { return }
        handovers[slot] = nil
        resting.append(slot, (), until: now + configuration.handoverBackoff)
        actions.append(.send(.callOff(slot, handover.epoch), to: handover.successor.id))
        if handover.phase.isPaused { actions.append(.resume(slot, handover.epoch)) }
    }

    private func moves(_ slot: Slot, _ epoch: Epoch, to node: NodeID, in phase: Handover.Phase) -> Bool {
        guard let handover = handovers[slot] else { return false }
        return handover.epoch == epoch && handover.successor.id == node && handover.phase == phase
    }

    /// Calls off what took too long or has lost its aim, and looks after offers of which nothing was heard.
    mutating func endWhatIsLate() {
        // What begins in this turn is not late in it.
        guard isAimDoubtful || nextWakeUp <= now else { return }
        defer { isAimDoubtful = false }
        if !handovers.isEmpty {
            let isAimDoubtful = isAimDoubtful
            let over = handovers.all.filter { handover in
                handover.phase.canBeCalledOff
                    && (handover.deadline <= now || isAimDoubtful && !canFollow(handover))
            }
            for slot in over.map(\.slot).sorted() { callOff(slot) }
        }
        for (slot, offer) in offers.takeDue(at: now) {
            if peers[offer.owner]?.health.isLiving == true {
                offers.append(slot, offer, until: now + configuration.offerPatience)
            } else {
                actions.append(.dropCopy(slot, offer.epoch))
            }
            needsLeases = true
        }
    }

    /// Whether the hand-over still has its aim. Once the slot is paused it is not called off because another node would be
    /// a little better.
    private func canFollow(_ handover: Handover) -> Bool {
        let node = handover.successor.id
        guard let entry = view.members[node], entry.member.identity == handover.successor else { return false }
        return entry.isLinked && entry.health.isLiving
            && (handover.phase.isPaused || goal(of: handover.slot) == node)
    }

    // MARK: The successor's end

    private mutating func hearOffer(of slot: Slot, _ epoch: Epoch, from owner: NodeID) {
        let isWelcome =
            isFit && rules.hasDatabase(at: now) && held[slot] == nil && epoch >= leases[slot].epoch
            && (offers.contains(slot) || offers.count < configuration.acceptedOffers)
        guard isWelcome else {
            actions.append(.send(.decline(slot, epoch), to: owner))
            return
        }
        offers.append(slot, Offer(owner: owner, epoch: epoch), until: now + configuration.offerPatience)
        leases.learn(slot, holder: owner, incarnation: peers[owner]?.incarnation, epoch: epoch)
        actions.append(.send(.accept(slot, epoch), to: owner))
    }
}
