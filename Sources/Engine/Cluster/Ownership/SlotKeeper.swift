import FluxCore

/// Which slots this node owns, which it takes, and which it gives away: design 5 without I/O.
///
/// Where a slot should be follows from who is alive (weighted rendezvous hashing over the living, ready nodes that do not
/// drain); whose it is stands in Postgres alone. This machine moves the second towards the first and decides nothing that
/// Postgres does not confirm: I1 holds whatever it believes.
///
/// - **Unplanned**: this node writes down at once whom it holds dead, and asks for the slots that should be its own,
///   those included whose owner's heartbeats reach Postgres no more. Postgres decides; a refusal is repeated.
/// - **Planned**: the owner offers a slot, copies its state while it works, then pauses it, commits, sends what has changed
///   since, and has the lease moved. Bounded in number and in the length of the pause; called off when anything fails.
/// - **Consented**: a node without Postgres tells the others that they may take its slots. It goes on until it hears that
///   somebody did: when Postgres is away for all, nothing changes.
/// - **Unfit**: a node that is cut off says so, owns nothing for long, and sends its clients elsewhere.
///
/// A shell reports events; each call returns what is to be done, in order. It calls `advance` at `nextWakeUp`. Every action
/// that asks for an outcome gets exactly one report of it. Times are durations since an arbitrary fixed moment.
public struct SlotKeeper: Sendable {
    /// What the shell is to do.
    public enum Action: Hashable, Sendable {
        // In Postgres.

        /// Write that this node holds the other dead; report `condemned`.
        case condemn(NodeIdentity)
        /// Withdraw that.
        case acquit(NodeID)
        /// Ask for these slots, with what their owners consented to; report `tookOver`.
        case takeOver([Slot], consented: [Slot: Epoch])
        /// Give the lease to the successor; report `released`.
        case release(Slot, Epoch, to: NodeIdentity)
        /// Read all leases; report `read`.
        case readLeases

        // On this node.

        /// The leases are held: the slots' actors may be activated.
        case takeUp([Slot: Epoch])
        /// The leases are gone: let the slots' actors go, without a word to Postgres.
        case giveUp([Slot: Epoch])
        /// Copy the slot's state to the node while it works; report `copied`.
        case copy(Slot, Epoch, to: NodeID)
        /// Hold the slot's callers, and commit all that it has decided; report `flushed`.
        case pauseAndFlush(Slot, Epoch)
        /// Send what has changed since the copy; report `copied`.
        case sendDifference(Slot, Epoch, to: NodeID)
        /// The hand-over is off: let the slot's callers in again, if they were held.
        case resume(Slot, Epoch)
        /// The slot is the other node's: let its actors go and send its callers on.
        case sendOn(Slot, to: NodeID, Epoch)
        /// Forget what was copied here of the slot.
        case dropCopy(Slot, Epoch)
        /// These slots have (other) owners.
        case learn([Route])

        // To the others and to the world.

        /// Send; when there is no link the message is dropped.
        case send(SlotMessage, to: NodeID)
        /// What `Membership.report` is to say.
        case report(isReady: Bool, isDraining: Bool, hasDatabase: Bool)
        /// The node is unfit for this reason, or no more.
        case unready(UnreadyReason, Bool)
        /// Close the clients' sessions so that they resume elsewhere.
        case endSessions(UnreadyReason)
        /// Nothing is left to give away, or nobody is there who could take what is left; or no more so, because somebody has come.
        case drained(_ isDone: Bool)
    }

    /// One row of the table of leases.
    public struct Lease: Hashable, Sendable {
        /// The slot.
        public var slot: Slot
        /// The owner's number.
        public var node: NodeID
        /// The owner's incarnation.
        public var incarnation: Int64
        /// The owner's epoch.
        public var epoch: Epoch

        /// A row from its columns.
        public init(slot: Slot, node: NodeID, incarnation: Int64, epoch: Epoch) {
            self.slot = slot
            self.node = node
            self.incarnation = incarnation
            self.epoch = epoch
        }
    }

    /// A slot that another node has offered.
    struct Offer: Sendable {
        let owner: NodeID
        let epoch: Epoch
    }

    /// That a slot may be taken from an owner without Postgres.
    struct Consent: Sendable {
        let epoch: Epoch
        /// It is repeated as long as it holds.
        let until: Duration
    }

    /// What this node has written about a member.
    struct Verdict: Sendable {
        let subject: NodeIdentity
        var isWritten = false
    }

    /// Every slot, in growing order.
    static let slots = Slot.all

    let configuration: SlotKeeperConfiguration
    /// This node.
    public let identity: NodeIdentity

    var view: MembershipView {
        didSet { peers = SlotPeers(view) }
    }
    /// What of the view is asked for at every slot.
    private(set) var peers: SlotPeers
    var rules: ReadinessRules
    var reasons: Set<UnreadyReason> = [] {
        didSet { isWithoutDatabase = reasons.contains(.noDatabase) }
    }
    /// Whether that is among the reasons, which is asked for after everything that happens.
    private(set) var isWithoutDatabase = false
    var reported: Action?
    var isOpen = false
    var isDraining = false
    var hasDrained = false
    /// Members that were told of this node's slots when their link came up.
    var greeted: Set<NodeID> = []

    /// What is known of all leases.
    var leases = LeaseTable()
    var hasReadLeases = false
    var needsLeases = true
    var isReadingLeases = false
    var mayReadLeasesAt: Duration
    /// The slots that this node owns.
    var held = SlotMap<Epoch>()
    /// The last epoch at which this node has given a slot up: what says that it owns it at that epoch is old.
    var over = SlotMap<Epoch>()

    /// Where the slots should be.
    var placement = SlotPlacement()

    /// Something has changed that may let this node take slots, or give some away: all of them have to be looked at.
    var mayTake = true
    var mayMove = true
    /// Something has changed that may take its aim from a hand-over under way.
    var isAimDoubtful = true
    /// Slots to give away, the next one last; made when all are looked at.
    var pendingMoves: [Slot] = []

    var verdicts: [NodeID: Verdict] = [:]
    /// Whose verdicts could not be written; they are tried again once Postgres answers.
    var failedVerdicts: Set<NodeID> = []
    /// Owners whose heartbeats have stopped to reach Postgres.
    private(set) var absentHolders: AbsentHolders
    var consents = SlotMap<Consent>()
    /// What was asked for and is not answered.
    var asked: [Slot]?
    var takeOverDelay: Duration
    var mayTakeOverAt: Duration
    var handovers = HandoverList()
    /// Slots whose hand-over has failed, which stay for a while.
    var resting = SlotQueue<Void>()
    var offers = SlotQueue<Offer>()

    /// Something was reported from which follows who is alive and who is fit; and when time alone can change that.
    var needsJudging = true
    var judgeAt: Duration = .zero
    var judgedHolderChanges = 0

    var now: Duration
    var refreshAt: Duration
    var consentAt: Duration
    /// Since when somebody else has had a way to Postgres.
    var othersReachSince: Duration?
    var lastRefreshed: NodeID?
    var actions: [Action] = []

    /// When `advance` has to be called next, unless something else is reported before.
    public private(set) var nextWakeUp: Duration

    /// A keeper that owns nothing and takes nothing until `open`. Postgres has answered just now.
    public init(
        identity: NodeIdentity, view: MembershipView,
        configuration: SlotKeeperConfiguration = SlotKeeperConfiguration(), at now: Duration
    ) {
        self.identity = identity
        self.view = view
        peers = SlotPeers(view)
        self.configuration = configuration
        self.now = now
        rules = ReadinessRules(configuration: configuration, at: now)
        absentHolders = AbsentHolders(expiry: configuration.heartbeatExpiry)
        takeOverDelay = configuration.takeOverRetry.lowerBound
        mayTakeOverAt = now
        mayReadLeasesAt = now
        refreshAt = now
        consentAt = now
        nextWakeUp = now
    }

    // MARK: Asking

    /// The slots that this node owns.
    public var owned: [Slot: Epoch] { Dictionary(uniqueKeysWithValues: held.compactMap { ($0, $1) }) }

    /// How many they are.
    public var ownedCount: Int { held.count }

    /// At which epoch this node owns the slot; nil where it does not.
    public func epoch(of slot: Slot) -> Epoch? { held[slot] }

    /// Where the slot should be; nil when nobody can own slots.
    public func wantedOwner(of slot: Slot) -> NodeID? { placement.owner(of: slot) }

    /// Whether the node is fit to serve.
    public var isReady: Bool { isOpen && reasons.isEmpty }

    /// How many slots each node owns, as far as is known here.
    public var slotCounts: [NodeID: Int] { leases.counts }

    /// Whether every slot has an owner that lives, as far as is known here: calls find their way.
    public var isEverySlotOwned: Bool {
        Self.slots.allSatisfy { slot in
            guard let holder = leases[slot].holder else { return false }
            return holder == identity.id ? held[slot] != nil : peers[holder]?.health.isLiving == true
        }
    }

    // MARK: Events

    /// It is `now`, at or after `nextWakeUp`.
    public mutating func advance(to now: Duration) -> [Action] {
        begin(at: now)
        return finish()
    }

    /// The node can own slots from now on.
    public mutating func open(at now: Duration) -> [Action] {
        begin(at: now)
        isOpen = true
        needsJudging = true
        reconsider()
        return finish()
    }

    /// The node gives its slots away and gets none, or takes part again.
    public mutating func drain(_ isDraining: Bool = true, at now: Duration) -> [Action] {
        begin(at: now)
        self.isDraining = isDraining
        hasDrained = false
        needsJudging = true
        reconsider()
        return finish()
    }

    /// What `Membership` believes has changed.
    public mutating func changed(_ view: MembershipView, at now: Duration) -> [Action] {
        begin(at: now)
        self.view = view
        needsJudging = true
        reconsider()
        return finish()
    }

    /// A heartbeat of this node reached Postgres, which knows young heartbeats of these nodes.
    public mutating func heartbeatAnswered(living: Set<NodeID>, at now: Duration) -> [Action] {
        begin(at: now)
        absentHolders.answered(
            living: living, holders: leases.holders, afterBreak: !rules.hasDatabase(at: now), at: now)
        rules.answered(living: living, at: now)
        failedVerdicts = []
        needsJudging = true
        // Neither a verdict nor a consent may ever come: the owner answers others, and has no link to this node.
        if !absentHolders.missing.isEmpty { mayTake = true }
        return finish()
    }

    /// This node's clock was compared with Postgres's.
    public mutating func clockCompared(isOff: Bool, at now: Duration) -> [Action] {
        begin(at: now)
        rules.clock(isOff: isOff)
        needsJudging = true
        return finish()
    }

    /// All leases, as Postgres has them; nil when they could not be read.
    public mutating func read(_ rows: [Lease]?, at now: Duration) -> [Action] {
        begin(at: now)
        isReadingLeases = false
        if let rows {
            learn(rows)
        } else {
            needsLeases = true
            mayReadLeasesAt = now + configuration.readRetry
        }
        return finish()
    }

    /// A lane, or another part of the node, has found that leases of these epochs are gone.
    public mutating func lost(_ slots: [Slot: Epoch], at now: Duration) -> [Action] {
        begin(at: now)
        lose(slots)
        needsLeases = true
        return finish()
    }

    // MARK: Machinery

    mutating func begin(at time: Duration) { now = max(now, time) }

    mutating func finish() -> [Action] {
        judge()
        endWhatIsLate()
        take()
        handOver()
        consent()
        refresh()
        readLeases()
        planWakeUp()
        defer { actions = [] }
        return actions
    }

    /// What is due has been done, so only what lies ahead counts.
    private mutating func planWakeUp() {
        var next: Duration?
        func consider(_ deadline: Duration) {
            if deadline > now, deadline < next ?? deadline + .nanoseconds(1) { next = deadline }
        }
        consider(refreshAt)
        consider(mayTakeOverAt)
        consider(judgeAt)
        if let deadline = handovers.deadline { consider(deadline) }
        if let deadline = offers.deadline { consider(deadline) }
        if let deadline = resting.deadline { consider(deadline) }
        if isWithoutDatabase {
            consider(consentAt)
            if let othersReachSince { consider(othersReachSince + configuration.databasePatience) }
        }
        if needsLeases { consider(mayReadLeasesAt) }
        nextWakeUp = next ?? now + configuration.refreshInterval
    }

    /// Judges itself and the others anew, if anything that this follows from may have changed.
    private mutating func judge() {
        guard needsJudging || judgeAt <= now || judgedHolderChanges != leases.holderChanges else { return }
        needsJudging = false
        judgedHolderChanges = leases.holderChanges
        judgeReadiness()
        judgeMembers()
        greet()
        plan()
        judgeAt = rules.deadlines.filter { $0 > now }.min() ?? now + configuration.refreshInterval
    }

    var isFit: Bool { isReady && !isDraining }

    private mutating func judgeReadiness() {
        rules.look(at: view, holders: leases.holders, at: now)
        let current = rules.reasons(in: view, at: now)
        for reason in current.subtracting(reasons).sorted() {
            actions.append(.unready(reason, true))
            if reason.endsSessions { actions.append(.endSessions(reason)) }
        }
        for reason in reasons.subtracting(current).sorted() { actions.append(.unready(reason, false)) }
        // What other nodes did in the meantime was not heard of.
        if reasons.contains(.noDatabase), !current.contains(.noDatabase) { needsLeases = true }
        if reasons != current { reconsider() }
        reasons = current
        let othersReach = view.members.contains { node, entry in
            node != identity.id && entry.health.isLiving && entry.report?.hasDatabase == true
        }
        othersReachSince = othersReach ? othersReachSince ?? now : nil
        let report = Action.report(
            isReady: isReady, isDraining: isDraining, hasDatabase: rules.hasDatabase(at: now))
        if report != reported {
            reported = report
            actions.append(report)
        }
    }

    /// Computes anew where every slot should be, if that may have changed.
    private mutating func plan() {
        var candidates = view.members.filter { $0.key != identity.id && $0.value.mayOwn }
            .map { Rendezvous.Candidate(node: $0.key, weight: $0.value.member.weight) }
        if isFit {
            let weight = view.members[identity.id]?.member.weight ?? 1
            candidates.append(Rendezvous.Candidate(node: identity.id, weight: weight))
        }
        candidates.sort { $0.node < $1.node }
        guard candidates != placement.candidates else { return }
        placement.change(to: candidates)
        reconsider()
        // A new cause to move slots is not held up by an old failure.
        takeOverDelay = configuration.takeOverRetry.lowerBound
        mayTakeOverAt = min(mayTakeOverAt, now)
    }

    /// Slots may have to move for a reason that is new.
    mutating func reconsider() {
        mayTake = true
        mayMove = true
        isAimDoubtful = true
    }

    /// One reading at a time. What is needed while one is under way needs another: that one may have begun too early.
    private mutating func readLeases() {
        guard needsLeases, !isReadingLeases, mayReadLeasesAt <= now, rules.hasDatabase(at: now) else { return }
        needsLeases = false
        isReadingLeases = true
        actions.append(.readLeases)
    }

    private mutating func refresh() {
        guard refreshAt <= now else { return }
        refreshAt = now + configuration.refreshInterval
        needsLeases = true
        let others = peers.linked
        let next = others.first { $0 > lastRefreshed ?? identity.id } ?? others.first
        guard let next, !held.isEmpty else { return }
        lastRefreshed = next
        actions.append(.send(.routes(routes), to: next))
    }

    /// To all slots that this node owns.
    var routes: [Route] { held.compactMap { Route(slot: $0, node: identity.id, epoch: $1) } }

    func routes(_ slots: [Slot: Epoch]) -> [Route] {
        slots.sorted { $0.key < $1.key }.map { Route(slot: $0.key, node: identity.id, epoch: $0.value) }
    }
}

extension UnreadyReason: Comparable {
    /// An order, so that actions come in one.
    public static func < (left: UnreadyReason, right: UnreadyReason) -> Bool { left.rank < right.rank }

    private var rank: (Int, UInt16) {
        switch self {
        case .noDatabase: (0, 0)
        case .minority: (1, 0)
        case .clockOff: (2, 0)
        case .noLink(let node): (3, node.rawValue)
        }
    }
}
