import FluxCore

/// Why a node sends its clients elsewhere and owns no slots.
public enum UnreadyReason: Hashable, Sendable {
    /// Its heartbeats do not reach Postgres.
    case noDatabase
    /// It reaches at most half of the nodes whose heartbeats reach Postgres.
    case minority
    /// It has no direct link to this node, and is the one of the two that gives way.
    case noLink(NodeID)
    /// Its clock is off Postgres's.
    case clockOff

    /// Whether its clients have to go at once: they would not hear from the others.
    public var endsSessions: Bool {
        switch self {
        case .minority, .noLink: true
        case .noDatabase, .clockOff: false
        }
    }
}

/// When a node is not fit to serve (design 5, I9). A pure value; the caller says what is the case, and when.
struct ReadinessRules: Sendable {
    private var lastAnswer: Duration
    private var isClockOff = false
    /// The nodes whose heartbeats reach Postgres, as it last said.
    private var living: Set<NodeID> = []
    private var apartSince: Duration?
    private var unlinkedSince: [NodeID: Duration] = [:]
    private let configuration: SlotKeeperConfiguration

    init(configuration: SlotKeeperConfiguration, at now: Duration) {
        self.configuration = configuration
        lastAnswer = now
    }

    /// A heartbeat was answered.
    mutating func answered(living: Set<NodeID>, at now: Duration) {
        lastAnswer = now
        self.living = living
    }

    mutating func clock(isOff: Bool) { isClockOff = isOff }

    func hasDatabase(at now: Duration) -> Bool { now - lastAnswer < configuration.databasePatience }

    /// Looks at the cluster: who of the living is within reach, and which links are missing. `holders`: who owns slots.
    mutating func look(at view: MembershipView, holders: Set<NodeID>, at now: Duration) {
        let reached = living.filter { view.members[$0]?.health.isLiving == true }
        let isApart =
            2 * reached.count < living.count
            || 2 * reached.count == living.count && living.min().map { !reached.contains($0) } == true
        apartSince = isApart ? apartSince ?? now : nil

        let missing = view.members.keys.filter { node in
            node != view.node && view.members[node]?.health.isLiving == true
                && (holders.contains(node) || holders.contains(view.node)) && !view.areLinked(view.node, node)
        }
        unlinkedSince = Dictionary(
            uniqueKeysWithValues: missing.map { ($0, unlinkedSince[$0] ?? now) })
    }

    /// What is the matter now.
    func reasons(in view: MembershipView, at now: Duration) -> Set<UnreadyReason> {
        var reasons: Set<UnreadyReason> = []
        if !hasDatabase(at: now) { reasons.insert(.noDatabase) }
        if isClockOff { reasons.insert(.clockOff) }
        if let apartSince, now - apartSince >= configuration.minorityPatience { reasons.insert(.minority) }
        for (node, since) in unlinkedSince where now - since >= configuration.linkPatience {
            if givesWay(to: node, in: view) { reasons.insert(.noLink(node)) }
        }
        return reasons
    }

    /// When something of it may change by itself.
    var deadlines: [Duration] {
        var deadlines = [lastAnswer + configuration.databasePatience]
        if let apartSince { deadlines.append(apartSince + configuration.minorityPatience) }
        deadlines += unlinkedSince.values.map { $0 + configuration.linkPatience }
        return deadlines
    }

    /// Of a pair without a link the one with fewer links gives way, then the one with the higher number.
    private func givesWay(to other: NodeID, in view: MembershipView) -> Bool {
        // As long as nothing is known of the other's links, its number has to do.
        let (mine, others) = (view.linkCount(of: view.node) ?? 0, view.linkCount(of: other))
        guard let others, others != mine else { return view.node > other }
        return mine < others
    }
}
