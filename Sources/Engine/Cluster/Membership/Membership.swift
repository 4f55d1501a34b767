import FluxCore

/// Who of the members is alive: SWIM with Lifeguard, without I/O (design 5).
///
/// - Das, Gupta and Motivala, "SWIM: Scalable Weakly-consistent Infection-style Process Group Membership Protocol", 2002.
/// - Dadgar, Phillips and Currey, "Lifeguard: Local Health Awareness for More Accurate Failure Detection", 2018.
///
/// One member is probed in each interval, in a shuffled round. Who does not answer is asked through others; who answers
/// none of them is suspected and told so, and is dead unless it refutes in time. News rides on every message and, while
/// there is any, on messages of its own.
///
/// Every node comes to the same belief about each member once the network lets news through; a member that lives and can
/// be reached is held alive by everybody at last, because it overrides whatever is said of it.
///
/// Where this departs from the papers:
/// - Who the members are is given from outside (rows in Postgres), so there is no join protocol, and nobody is forgotten.
/// - A member has two counters: the incarnation of its process, which Postgres gives at every start, and within it the
///   number of its refutations, which is SWIM's incarnation.
/// - Death can be refuted, as in memberlist: a process that was stopped for long comes back as itself. The dead are asked
///   now and then, so that a healed network is noticed although no connection broke.
/// - The transport is TCP: a refused connection is evidence and shortens the suspicion; a broken one makes the member the
///   next to be probed.
/// - Who was heard directly a moment ago is not held dead on hearsay, only suspected: one ill node cannot bury another.
/// - A process that stood still (its wake-up came late) does not count that time against anybody.
/// - Whatever a member says directly during a probe answers it.
/// - Without helpers a failed probe says nothing about this node's own health, so with two members it stays as it is.
///
/// A shell calls `advance` at `nextWakeUp` and reports what happens; each call returns what is to be done, in order. Times
/// are durations since an arbitrary fixed moment and do not go back.
public struct Membership: Sendable {
    /// What the shell is to do.
    public enum Action: Hashable, Sendable {
        /// Send; when there is no link the message is dropped.
        case send(MembershipMessage, to: NodeID)
        /// A member is held to be otherwise than before.
        case changed(MemberChange)
        /// What a member reports about itself, or to whom it has links, is new.
        case reported(NodeReport)
        /// Probes over this link stay without an answer while others get one: break it and make it anew.
        case remakeLink(NodeID)
        /// There is a member whose row is not known here: read the rows again.
        case readMembers
        /// A later incarnation of this node runs: this process has to end.
        case superseded
    }

    /// What is known of another member.
    struct Known {
        var member: ClusterMember
        var state: HealthRumour
        var suspicion: Suspicion?
        var report: NodeReport?
        /// A link is there.
        var isLinked = false
        /// A probe over the link stayed without an answer that another way brought.
        var isLinkDeaf = false
        /// When a message came straight from it.
        var heardAt: Duration?

        var hasWorkingLink: Bool { isLinked && !isLinkDeaf }
    }

    /// The probe of this interval.
    struct Probe {
        let target: NodeID
        let sequence: UInt64
        let startedAt: Duration
        /// When it is tried through others; nil since that was done.
        var indirectAt: Duration?
        /// Who was asked to help and has said nothing yet.
        var silentHelpers: Set<NodeID> = []
        var isAnswered = false
    }

    /// A probe that is made for somebody else.
    struct Relay {
        let requester: NodeID
        let sequence: UInt64
        let target: NodeID
        var deadline: Duration
    }

    let configuration: MembershipConfiguration
    /// This node.
    public let identity: NodeIdentity
    /// This node's row.
    var ownMember: ClusterMember
    var refutation: UInt32 = 0
    var ownReport: NodeReport
    var isReportStale = false
    var hasLeft = false

    var known: [NodeID: Known] = [:]
    var rumours: RumourQueue
    var random: SplitMix64
    var localHealth: LocalHealth
    var round = ProbeRound()
    var probe: Probe?
    var relays: [UInt64: Relay] = [:]
    var lastSequence: UInt64 = 0

    var now: Duration
    var periodEnds: Duration
    var gossipAt: Duration
    var exchangeAt: Duration
    var knockAt: Duration
    /// The rows are not asked for again before this.
    var mayReadMembersAt: Duration
    var actions: [Action] = []

    /// A node alone; its first probe is due within the first interval, at a moment that the seed decides, so that nodes
    /// which start together do not probe together.
    public init(
        identity: NodeIdentity, configuration: MembershipConfiguration = MembershipConfiguration(), seed: UInt64,
        at now: Duration
    ) {
        self.identity = identity
        self.configuration = configuration
        self.now = now
        ownMember = ClusterMember(identity: identity, address: "")
        ownReport = NodeReport(node: identity.id, incarnation: identity.incarnation)
        rumours = RumourQueue(capacity: configuration.waitingRumours)
        localHealth = LocalHealth(worst: configuration.worstHealth)
        random = SplitMix64(seed: seed)
        periodEnds = now + configuration.probeInterval * Double.random(in: 0...1, using: &random)
        gossipAt = now + configuration.gossipInterval
        exchangeAt = now + configuration.exchangeInterval * Double.random(in: 0.5...1, using: &random)
        knockAt = now + configuration.knockInterval
        mayReadMembersAt = now
        nextWakeUp = now
    }

    // MARK: Asking

    /// When `advance` has to be called next, unless something else is reported before.
    public private(set) var nextWakeUp: Duration

    /// How the member is held to be; nil for one that is not known, `.alive` for this node.
    public func health(of node: NodeID) -> Health? {
        node == identity.id ? (hasLeft ? .left : .alive) : known[node]?.state.health
    }

    /// This node's health score: 0 is well.
    public var healthScore: Int { localHealth.score }

    /// What this node believes, for those that decide on it.
    public var view: MembershipView {
        var members = known.mapValues { known in
            MembershipView.Entry(
                member: known.member, health: known.state.health,
                report: known.report.flatMap { $0.incarnation == known.state.incarnation ? $0 : nil },
                isLinked: known.hasWorkingLink)
        }
        members[identity.id] = MembershipView.Entry(
            member: ownMember, health: hasLeft ? .left : .alive, report: ownReport, isLinked: true)
        return MembershipView(node: identity.id, members: members)
    }

    // MARK: Events

    /// It is `now`, at or after `nextWakeUp`.
    public mutating func advance(to now: Duration) -> [Action] {
        begin(at: now)
        expireRelays()
        if let indirectAt = probe?.indirectAt, indirectAt <= now { askOthers() }
        if periodEnds <= now { changePeriod() }
        expireSuspicions()
        if gossipAt <= now { gossip() }
        if exchangeAt <= now { exchange() }
        if knockAt <= now { knock() }
        return finish()
    }

    /// These are the rows of all members. Who is not among them any more is forgotten.
    public mutating func learned(_ members: [ClusterMember], at now: Duration) -> [Action] {
        begin(at: now)
        let present = Set(members.map(\.identity.id))
        for node in known.keys.sorted() where !present.contains(node) { forget(node) }
        for member in members.sorted(by: { $0.identity.id < $1.identity.id }) { learn(member) }
        return finish()
    }

    /// A message came from the node, whose identity the transport has checked.
    public mutating func received(
        _ message: MembershipMessage, from sender: NodeID, at now: Duration
    ) -> [Action] {
        begin(at: now)
        guard sender != identity.id, !hasLeft else { return finish() }
        guard known[sender] != nil else {
            askForMembers()
            return finish()
        }
        hear(message, from: sender)
        for rumour in message.rumours { learn(rumour) }
        answer(message, from: sender)
        return finish()
    }

    /// What this node has to say about itself has changed.
    public mutating func report(
        isReady: Bool, isDraining: Bool, hasDatabase: Bool, at now: Duration
    ) -> [Action] {
        begin(at: now)
        guard (isReady, isDraining, hasDatabase) != (ownReport.isReady, ownReport.isDraining, ownReport.hasDatabase)
        else { return finish() }
        ownReport.isReady = isReady
        ownReport.isDraining = isDraining
        ownReport.hasDatabase = hasDatabase
        isReportStale = true
        return finish()
    }

    /// This node leaves: everybody whom it can reach is told. After this it says nothing more.
    public mutating func leave(at now: Duration) -> [Action] {
        begin(at: now)
        guard !hasLeft else { return finish() }
        hasLeft = true
        rumours.add(.health(ownState))
        let news = rumours.next(atMost: configuration.rumoursPerMessage)
        for (node, known) in sorted where known.isLinked { post(.gossip, to: node, news: news) }
        return finish()
    }

    // MARK: Machinery

    var ownState: HealthRumour {
        HealthRumour(
            node: identity.id, incarnation: identity.incarnation, refutation: refutation,
            health: hasLeft ? .left : .alive, accuser: identity.id)
    }

    /// The other members in a fixed order, so that a seed repeats everything.
    var sorted: [(key: NodeID, value: Known)] { known.sorted { $0.key < $1.key } }

    /// Sets the clock. A wake-up that was missed by far means that this process stood still: whatever it waits for gets
    /// that time on top, and it trusts itself less.
    mutating func begin(at time: Duration) {
        let lateness = time - nextWakeUp
        now = max(now, time)
        guard lateness > configuration.lateness else { return }
        localHealth.worsen()
        periodEnds += lateness
        probe?.indirectAt? += lateness
        for sequence in relays.keys { relays[sequence]?.deadline += lateness }
        for node in known.keys { known[node]?.suspicion?.postpone(by: lateness) }
    }

    mutating func finish() -> [Action] {
        nextWakeUp = max(now, earliestDeadline)
        defer { actions = [] }
        return actions
    }

    private var earliestDeadline: Duration {
        var next = min(periodEnds, min(exchangeAt, knockAt))
        if !rumours.isEmpty || isReportStale { next = min(next, gossipAt) }
        if let indirectAt = probe?.indirectAt { next = min(next, indirectAt) }
        for relay in relays.values { next = min(next, relay.deadline) }
        for known in known.values {
            if let deadline = known.suspicion?.deadline { next = min(next, deadline) }
        }
        return next
    }

    mutating func nextSequence() -> UInt64 {
        lastSequence += 1
        return lastSequence
    }

    /// For how many rounds a piece of news is sent (SWIM 4.1).
    var newsRounds: Int {
        var magnitude = 1
        var reach = 10
        while reach <= known.count + 1 {
            magnitude += 1
            reach *= 10
        }
        return configuration.retransmissionFactor * magnitude
    }

    mutating func post(_ kind: MembershipMessage.Kind, to node: NodeID, news: [Rumour]) {
        actions.append(
            .send(
                MembershipMessage(
                    incarnation: identity.incarnation, refutation: refutation, kind: kind, rumours: news), to: node))
    }

    /// Sends news along. An accused receiver is told of what it is accused (Lifeguard's buddy system).
    mutating func post(_ kind: MembershipMessage.Kind, to node: NodeID) {
        var news = rumours.next(atMost: configuration.rumoursPerMessage)
        if let accusation = accusation(of: node), !news.contains(.health(accusation)) {
            news.append(.health(accusation))
        }
        post(kind, to: node, news: news)
    }

    func accusation(of node: NodeID) -> HealthRumour? {
        guard let state = known[node]?.state, state.health == .suspect || state.health == .dead else { return nil }
        return state
    }

    mutating func askForMembers() {
        guard now >= mayReadMembersAt else { return }
        mayReadMembersAt = now + configuration.probeInterval
        actions.append(.readMembers)
    }
}

/// A member is held to be otherwise.
public struct MemberChange: Hashable, Sendable {
    /// Who, with the incarnation that this is about.
    public var identity: NodeIdentity
    /// How it was held to be; of an earlier incarnation, if the incarnation is new.
    public var before: Health
    /// How it is held to be now.
    public var health: Health
}
