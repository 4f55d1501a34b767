import FluxCore

/// Probes: the failure detector (SWIM 3.1, Lifeguard IV.A).
extension Membership {
    // MARK: Own probes

    /// Ends the interval and begins the next one.
    mutating func changePeriod() {
        concludeProbe()
        periodEnds = now + localHealth.lengthened(configuration.probeInterval)
        let candidates = sorted.filter { $0.value.state.health < .dead && $0.value.member.standing != .left }.map(\.key)
        guard let target = round.next(of: candidates, using: &random) else { return }
        let sequence = nextSequence()
        probe = Probe(
            target: target, sequence: sequence, startedAt: now,
            indirectAt: now + localHealth.lengthened(configuration.probeTimeout))
        guard known[target]?.isLinked == true else { return askOthers() }
        post(.ping(sequence: sequence), to: target)
    }

    /// The target did not answer in time: others ask it.
    mutating func askOthers() {
        guard var probe, !probe.isAnswered else {
            self.probe?.indirectAt = nil
            return
        }
        probe.indirectAt = nil
        let helpers = sorted.filter { node, known in
            node != probe.target && known.state.health == .alive && known.hasWorkingLink
        }.map(\.key).shuffled(using: &random).prefix(configuration.indirectProbes)
        probe.silentHelpers = Set(helpers)
        self.probe = probe
        for helper in helpers {
            post(.pingRequest(sequence: probe.sequence, target: probe.target), to: helper)
        }
    }

    private mutating func concludeProbe() {
        defer { probe = nil }
        guard let probe, !probe.isAnswered, let target = known[probe.target] else { return }
        // It said something else in the meantime: its answer is lost, or it was not linked yet.
        if let heardAt = target.heardAt, heardAt >= probe.startedAt { return }
        // Only of helpers that are well themselves silence says something about this node.
        let missing = probe.silentHelpers.count { known[$0]?.state.health == .alive }
        if missing > 0 { localHealth.worsen(by: missing) }
        // It may have died, or left, in the meantime.
        guard target.state.health < .dead else { return }
        suspect(probe.target, by: identity.id)
    }

    /// The probe with this number was answered by `sender`.
    private mutating func probeAnswered(_ sequence: UInt64, by sender: NodeID) {
        guard var probe, probe.sequence == sequence else { return }
        if sender == probe.target {
            markLink(to: sender, isDeaf: false)
        } else {
            guard probe.silentHelpers.remove(sender) != nil, known[probe.target] != nil else { return }
            if !probe.isAnswered { answeredThroughOthers(probe.target) }
        }
        if !probe.isAnswered { localHealth.improve() }
        probe.isAnswered = true
        self.probe = probe
    }

    /// It lives but did not answer over the link.
    private mutating func answeredThroughOthers(_ target: NodeID) {
        foundAlive(target)
        guard known[target]?.isLinked == true else { return }
        markLink(to: target, isDeaf: true)
        // It is asked again soon, to notice when the link works.
        round.prefer(target)
        actions.append(.remakeLink(target))
    }

    // MARK: Messages

    /// Answers what asks for an answer.
    mutating func answer(_ message: MembershipMessage, from sender: NodeID) {
        switch message.kind {
        case .ping(let sequence):
            post(.acknowledgement(sequence: sequence), to: sender)
        case .acknowledgement(let sequence):
            probeAnswered(sequence, by: sender)
            relayAnswered(sequence, by: sender)
        case .pingRequest(let sequence, let target):
            relay(target, for: sender, sequence: sequence)
        case .noAnswer(let sequence):
            guard probe?.sequence == sequence else { return }
            probe?.silentHelpers.remove(sender)
        case .exchange:
            post(.exchangeAnswer, to: sender, news: everything)
        case .gossip, .exchangeAnswer:
            // Who is accused and does not know it yet is told.
            guard let accusation = accusation(of: sender) else { return }
            post(.gossip, to: sender, news: [.health(accusation)])
        }
    }

    // MARK: Probes for others

    private mutating func relay(_ target: NodeID, for requester: NodeID, sequence: UInt64) {
        guard target != identity.id else { return post(.acknowledgement(sequence: sequence), to: requester) }
        guard relays.count < configuration.relayedProbes, known[target]?.isLinked == true else {
            return post(.noAnswer(sequence: sequence), to: requester)
        }
        let own = nextSequence()
        relays[own] = Relay(
            requester: requester, sequence: sequence, target: target,
            deadline: now + configuration.noAnswerAfter)
        post(.ping(sequence: own), to: target)
    }

    private mutating func relayAnswered(_ sequence: UInt64, by sender: NodeID) {
        guard let relay = relays[sequence], relay.target == sender else { return }
        relays[sequence] = nil
        markLink(to: sender, isDeaf: false)
        post(.acknowledgement(sequence: relay.sequence), to: relay.requester)
    }

    mutating func expireRelays() {
        let expired = relays.filter { $0.value.deadline <= now }
        for (sequence, relay) in expired.sorted(by: { $0.key < $1.key }) {
            relays[sequence] = nil
            post(.noAnswer(sequence: relay.sequence), to: relay.requester)
        }
    }

    // MARK: The dead

    /// Tells one of the dead that it is held dead: if it is not, it refutes.
    mutating func knock() {
        knockAt = now + configuration.knockInterval
        let dead = sorted.filter { $0.value.state.health == .dead && $0.value.isLinked }.map(\.key)
        guard let node = dead.randomElement(using: &random) else { return }
        post(.ping(sequence: nextSequence()), to: node)
    }
}
