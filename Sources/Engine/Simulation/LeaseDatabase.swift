import FluxCluster
import FluxCore

/// Postgres as the keepers of slots see it, in memory and on virtual time: nodes, verdicts and leases under the rules of
/// `LeaseStore` (FluxStore), which its tests hold a real server to.
public struct LeaseDatabase: Sendable {
    /// A node's row.
    struct NodeRow: Sendable {
        var incarnation: Int64
        var heartbeatAt: Duration
        var unbrokenSince: Duration
        var hasLeft = false
    }

    /// Of whom, by whom.
    private struct VerdictKey: Hashable {
        let subject: NodeID
        let voter: NodeID
    }

    private struct Verdict {
        let subjectIncarnation: Int64
        let voterIncarnation: Int64
        let writtenAt: Duration
    }

    /// One incarnation of a node.
    struct Process: Hashable, Sendable {
        let node: NodeID
        let incarnation: Int64
    }

    /// The row through which a process commits, and by which it is kept from it (design 6). A process has one lane here.
    struct LaneRow: Sendable {
        var generation: Int64 = 1
        var batch: Int64 = 0
    }

    /// Why a slot could be taken.
    enum Reason: Sendable { case free, over, consented, voted, expired }

    /// A slot changed hands.
    struct Loss: Sendable {
        let slot: Slot
        let loser: Process
        /// Nil when its owner gave it.
        let reason: Reason?
        /// When it was taken by votes: how many of the members that live had written so, and how many members may live.
        let votes: Votes
    }

    /// Who holds a node dead, among how many.
    struct Votes: Sendable, Equatable {
        var living = 0
        var members = 0
    }

    /// A lease that a transaction has locked whose node is not heard.
    private struct Lock {
        let holder: Process
        let since: Duration
    }

    private static let expiry = Duration.seconds(3)
    /// How long a transaction may stand still.
    private static let longestStandstill = Duration.seconds(3)
    /// How long one may stand still of whose node slots are asked for.
    private static let longestStandstillOfLosers = Duration.seconds(1)
    private static let longestGap = Duration.milliseconds(1500)

    private var nodes = NodeMap<NodeRow>()
    private var verdicts: [VerdictKey: Verdict] = [:]
    private var startedAt: Duration = .zero
    private var lanes = ProcessMap<LaneRow>()

    /// Lanes that are between fence and commit, each with the number of its transaction.
    private var transactions = ProcessMap<Int>()
    private var lastTransaction = 0
    /// Leases in transactions that stand still.
    private var locks: [Slot: Lock] = [:]

    /// Verdicts count, whoever has written them: a bug that the world has to find.
    var countsVotesOfTheDead = false
    /// A batch commits under the generation that is now; if not, under any: a bug that the world has to find.
    var isFenced = true
    /// Who lost what since this was last taken; only where somebody takes it.
    var losses: [Loss] = []
    var notesLosses = false

    /// The truth about ownership.
    public var leases: [Slot: SlotKeeper.Lease] {
        var leases: [Slot: SlotKeeper.Lease] = [:]
        for lease in rows { leases[lease.slot] = lease }
        return leases
    }

    /// The leases in the order of the slots.
    var rows: [SlotKeeper.Lease] { bySlot.compactMap(\.self) }

    private var bySlot = [SlotKeeper.Lease?](repeating: nil, count: Slot.count)
    /// What each process owns.
    private var owned = ProcessMap<[Slot: Epoch]>()

    /// The lease of a slot; nil if nobody ever had it.
    func lease(of slot: Slot) -> SlotKeeper.Lease? { bySlot[Int(slot.rawValue)] }

    /// Whether the server runs.
    public private(set) var isUp = true

    /// An empty database.
    public init() {}

    /// The server stops, without losing anything.
    public mutating func stop() {
        isUp = false
        transactions = ProcessMap()
        locks = [:]
    }

    /// The server starts.
    public mutating func start(at now: Duration) {
        isUp = true
        startedAt = now
    }

    /// Which of the node's incarnations is the latest.
    func incarnation(of node: NodeID) -> Int64 { nodes[node]?.incarnation ?? 0 }

    mutating func register(_ node: NodeID, at now: Duration) -> Int64 {
        let incarnation = incarnation(of: node) + 1
        nodes[node] = NodeRow(incarnation: incarnation, heartbeatAt: now, unbrokenSince: now)
        // Backends of earlier incarnations are ended.
        for earlier in 1..<incarnation { transactions[Process(node: node, incarnation: earlier)] = nil }
        locks = locks.filter { $0.value.holder.node != node }
        lanes[Process(node: node, incarnation: incarnation)] = LaneRow()
        owned[Process(node: node, incarnation: incarnation)] = [:]
        verdicts = verdicts.filter { $0.key.subject != node && $0.key.voter != node }
        return incarnation
    }

    mutating func leave(_ node: NodeID) { nodes[node]?.hasLeft = true }

    /// Whose heartbeats are young; nil when another incarnation of the node runs.
    mutating func beat(_ identity: NodeIdentity, at now: Duration) -> Set<NodeID>? {
        guard var row = nodes[identity.id], row.incarnation == identity.incarnation else { return nil }
        if now - row.heartbeatAt > Self.longestGap { row.unbrokenSince = now }
        row.heartbeatAt = now
        nodes[identity.id] = row
        return Set(nodes.ids.filter { node in member(node).map { now - $0.heartbeatAt <= Self.expiry } ?? false })
    }

    mutating func condemn(_ subject: NodeIdentity, by voter: NodeIdentity, at now: Duration) {
        verdicts[VerdictKey(subject: subject.id, voter: voter.id)] = Verdict(
            subjectIncarnation: subject.incarnation, voterIncarnation: voter.incarnation, writtenAt: now)
    }

    mutating func acquit(_ subject: NodeID, by voter: NodeIdentity) {
        verdicts[VerdictKey(subject: subject, voter: voter.id)] = nil
    }

    mutating func takeOver(
        _ slots: [Slot], for taker: NodeIdentity, consented: [Slot: Epoch], at now: Duration
    ) -> [Slot: Epoch] {
        guard beat(taker, at: now) != nil, let row = nodes[taker.id] else { return [:] }
        let watchesSince = max(row.unbrokenSince, startedAt)
        endStandstills(inTheWayOf: slots, of: taker, at: now)
        var taken: [Slot: Epoch] = [:]
        // Nobody votes meanwhile.
        var counted = ProcessMap<Votes>()
        for slot in slots where !isLocked(slot, at: now) {
            let lease = self.lease(of: slot)
            var votes = Votes()
            if let lease {
                let owner = Process(node: lease.node, incarnation: lease.incarnation)
                votes = counted[owner] ?? self.votes(against: lease, watchesSince: watchesSince, at: now)
                counted[owner] = votes
            }
            guard
                let reason = reason(
                    to: taker, toTake: slot, consented, votes, watchesSince: watchesSince, at: now)
            else { continue }
            if notesLosses, let lease {
                losses.append(
                    Loss(
                        slot: slot, loser: Process(node: lease.node, incarnation: lease.incarnation), reason: reason,
                        votes: votes))
            }
            let epoch = (lease?.epoch ?? 0) + 1
            taken[slot] = epoch
            // A writer that stalls inside its transaction cannot hold the taker up.
            if let lease { end(Process(node: lease.node, incarnation: lease.incarnation)) }
            assign(slot, to: taker, epoch)
        }
        return taken
    }

    mutating func release(
        _ slot: Slot, _ epoch: Epoch, of owner: NodeIdentity, to successor: NodeIdentity, at now: Duration
    ) -> Epoch? {
        guard let lease = self.lease(of: slot), lease.node == owner.id, lease.incarnation == owner.incarnation,
            lease.epoch == epoch, let row = member(successor.id), row.incarnation == successor.incarnation,
            now - row.heartbeatAt <= Self.expiry
        else { return nil }
        if notesLosses {
            losses.append(
                Loss(
                    slot: slot, loser: Process(node: owner.id, incarnation: owner.incarnation), reason: nil,
                    votes: Votes()))
        }
        assign(slot, to: successor, epoch + 1)
        return epoch + 1
    }

    // MARK: Transactions that stand still

    /// A node is cut off while it gives these slots away or takes them: the transaction stands, until the node is heard again
    /// or Postgres ends it.
    mutating func standStill(with slots: [Slot], of node: NodeIdentity, at now: Duration) {
        let holder = Process(node: node.id, incarnation: node.incarnation)
        for slot in slots where lease(of: slot) != nil && !isLocked(slot, at: now) {
            locks[slot] = Lock(holder: holder, since: now)
        }
    }

    /// Such a transaction goes on; false if it was ended.
    mutating func goOn(with slots: [Slot], of node: NodeIdentity, at now: Duration) -> Bool {
        let holder = Process(node: node.id, incarnation: node.incarnation)
        let own = slots.filter { isLocked($0, at: now) && locks[$0]?.holder == holder }
        for slot in own { locks[slot] = nil }
        return !own.isEmpty
    }

    /// Whether the slot's lease is locked by a transaction that stands still.
    func isLocked(_ slot: Slot, at now: Duration) -> Bool {
        !locks.isEmpty && locks[slot].map { now - $0.since < Self.longestStandstill } ?? false
    }

    private mutating func endStandstills(inTheWayOf slots: [Slot], of taker: NodeIdentity, at now: Duration) {
        guard !locks.isEmpty else { return }
        let losers = Set(
            slots.compactMap { lease(of: $0) }.map { Process(node: $0.node, incarnation: $0.incarnation) }
        )
        .subtracting([Process(node: taker.id, incarnation: taker.incarnation)])
        locks = locks.filter {
            !losers.contains($0.value.holder) || now - $0.value.since <= Self.longestStandstillOfLosers
        }
    }

    // MARK: Machinery

    /// The row of a node that has not left.
    private func member(_ node: NodeID) -> NodeRow? { nodes[node].flatMap { $0.hasLeft ? nil : $0 } }

    private func reason(
        to taker: NodeIdentity, toTake slot: Slot, _ consented: [Slot: Epoch], _ votes: Votes, watchesSince: Duration,
        at now: Duration
    ) -> Reason? {
        guard let lease = self.lease(of: slot) else { return .free }
        guard lease.node != taker.id || lease.incarnation != taker.incarnation else { return nil }
        if member(lease.node)?.incarnation != lease.incarnation { return .over }
        if consented[slot] == lease.epoch { return .consented }
        if isCondemned(lease, votes) { return .voted }
        return mayLive(lease.node, watchesSince: watchesSince, at: now) ? nil : .expired
    }

    /// The loser's lane begins a new generation in the same transaction: no batch of an earlier one can commit any more.
    private mutating func assign(_ slot: Slot, to owner: NodeIdentity, _ epoch: Epoch) {
        if let lease = self.lease(of: slot) {
            let loser = Process(node: lease.node, incarnation: lease.incarnation)
            lanes[loser]?.generation += 1
            owned[loser]?[slot] = nil
        }
        owned[Process(node: owner.id, incarnation: owner.incarnation)]?[slot] = epoch
        bySlot[Int(slot.rawValue)] = SlotKeeper.Lease(
            slot: slot, node: owner.id, incarnation: owner.incarnation, epoch: epoch)
    }

    private func mayLive(_ node: NodeID, watchesSince: Duration, at now: Duration) -> Bool {
        member(node).map { now - max($0.heartbeatAt, watchesSince) <= Self.expiry } ?? false
    }

    private func isCondemned(_ lease: SlotKeeper.Lease, _ votes: Votes) -> Bool {
        let dead = countsVotesOfTheDead ? verdicts.keys.count { $0.subject == lease.node } : 0
        return 2 * max(votes.living, dead) > votes.members
    }

    private func votes(against lease: SlotKeeper.Lease, watchesSince: Duration, at now: Duration) -> Votes {
        var votes = Votes()
        for voter in nodes.ids {
            guard let row = member(voter) else { continue }
            if now - max(row.heartbeatAt, watchesSince) <= Self.expiry { votes.members += 1 }
            guard voter != lease.node, now - row.heartbeatAt <= Self.expiry,
                let verdict = verdicts[VerdictKey(subject: lease.node, voter: voter)]
            else { continue }
            if verdict.subjectIncarnation == lease.incarnation, verdict.voterIncarnation == row.incarnation,
                verdict.writtenAt >= row.unbrokenSince
            {
                votes.living += 1
            }
        }
        return votes
    }
}

// MARK: The fence

extension LeaseDatabase {
    /// Begins a transaction of the lane and passes the fence; nil when that refuses.
    mutating func begin(_ process: Process, generation: Int64, batch: Int64) -> Int? {
        guard let row = lanes[process], row.generation == generation || !isFenced, row.batch == batch - 1 else {
            return nil
        }
        lastTransaction += 1
        transactions[process] = lastTransaction
        return lastTransaction
    }

    /// Commits a lane's transaction; false when its backend was ended.
    mutating func commit(_ process: Process, transaction: Int, batch: Int64) -> Bool {
        guard transactions[process] == transaction else { return false }
        transactions[process] = nil
        lanes[process]?.batch = batch
        return true
    }

    /// Ends the backend that holds the lane's row.
    mutating func end(_ process: Process) { transactions[process] = nil }

    /// Whether the lane's row is locked.
    func isLocked(_ process: Process) -> Bool { transactions[process] != nil }

    /// Begins a new generation; nil when the lane has no row any more.
    mutating func renewLane(of process: Process) -> LaneRow? {
        lanes[process]?.generation += 1
        return lanes[process]
    }

    /// What the process owns.
    func leases(of process: Process) -> [Slot: Epoch] { owned[process] ?? [:] }
}
