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

    private static let expiry = Duration.seconds(3)
    private static let longestGap = Duration.milliseconds(1500)

    private var nodes: [NodeID: NodeRow] = [:]
    private var verdicts: [VerdictKey: Verdict] = [:]
    private var startedAt: Duration = .zero

    /// The truth about ownership.
    public private(set) var leases: [Slot: SlotKeeper.Lease] = [:]
    /// Whether the server runs.
    public private(set) var isUp = true

    /// An empty database.
    public init() {}

    /// The server stops, without losing anything.
    public mutating func stop() { isUp = false }

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
        return Set(members.filter { now - $0.value.heartbeatAt <= Self.expiry }.keys)
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
        var taken: [Slot: Epoch] = [:]
        for slot in slots {
            guard let lease = leases[slot] else {
                taken[slot] = 1
                continue
            }
            guard lease.node != taker.id || lease.incarnation != taker.incarnation else { continue }
            let mayTake =
                members[lease.node]?.incarnation != lease.incarnation || consented[slot] == lease.epoch
                || isCondemned(lease, watchesSince: watchesSince, at: now)
                || !mayLive(lease.node, watchesSince: watchesSince, at: now)
            if mayTake { taken[slot] = lease.epoch + 1 }
        }
        for (slot, epoch) in taken { assign(slot, to: taker, epoch) }
        return taken
    }

    mutating func release(
        _ slot: Slot, _ epoch: Epoch, of owner: NodeIdentity, to successor: NodeIdentity, at now: Duration
    ) -> Epoch? {
        guard let lease = leases[slot], lease.node == owner.id, lease.incarnation == owner.incarnation,
            lease.epoch == epoch, let row = members[successor.id], row.incarnation == successor.incarnation,
            now - row.heartbeatAt <= Self.expiry
        else { return nil }
        assign(slot, to: successor, epoch + 1)
        return epoch + 1
    }

    // MARK: Machinery

    private var members: [NodeID: NodeRow] { nodes.filter { !$0.value.hasLeft } }

    private mutating func assign(_ slot: Slot, to owner: NodeIdentity, _ epoch: Epoch) {
        leases[slot] = SlotKeeper.Lease(
            slot: slot, node: owner.id, incarnation: owner.incarnation, epoch: epoch)
    }

    private func mayLive(_ node: NodeID, watchesSince: Duration, at now: Duration) -> Bool {
        members[node].map { now - max($0.heartbeatAt, watchesSince) <= Self.expiry } ?? false
    }

    private func isCondemned(_ lease: SlotKeeper.Lease, watchesSince: Duration, at now: Duration) -> Bool {
        let members = self.members
        let votes = members.count { voter, row in
            guard voter != lease.node, now - row.heartbeatAt <= Self.expiry,
                let verdict = verdicts[VerdictKey(subject: lease.node, voter: voter)]
            else { return false }
            return verdict.subjectIncarnation == lease.incarnation && verdict.voterIncarnation == row.incarnation
                && verdict.writtenAt >= row.unbrokenSince
        }
        return 2 * votes > members.count { mayLive($0.key, watchesSince: watchesSince, at: now) }
    }
}
