import FluxCore
import FluxRealtime
import FluxStore

/// The tables of relationships and the outbox, in memory, under the rules of production's statements. It checks what must never
/// get past it: that what a change means for somebody else is written with it, and applied with its being taken (I11).
struct PeopleDatabase {
    private var sides: [UserID: [UserID: RelationshipSide]] = [:]
    /// What waits, in the order of the ids.
    private(set) var outbox: [OutboxEntry] = []

    // MARK: Reading

    /// A person's relationships, by the other one's id, those that are over among them.
    func relationships(of userID: UserID) -> [RelationshipSide] {
        (sides[userID] ?? [:]).values.sorted { $0.peerID < $1.peerID }
    }

    /// What somebody is to a person, from that person's side.
    func side(of userID: UserID, with peerID: UserID) -> RelationshipSide? { sides[userID]?[peerID] }

    /// What waits for one person.
    func pending(for userID: UserID) -> [OutboxEntry] { outbox.filter { $0.targetKey == userID } }

    // MARK: Writing

    /// Whether Postgres refuses the mutation: it takes what was taken before (`outbox_applied_once`).
    func refuses(_ statements: [Statement]) -> Bool {
        statements.contains { statement in
            guard case .taken(let id)? = PeopleWrite(statement) else { return false }
            return !outbox.contains { $0.id == id }
        }
    }

    /// Takes in what one mutation writes. - Returns: what must not be.
    mutating func run(_ statements: [Statement]) -> [String] {
        let writes = statements.compactMap(PeopleWrite.init)
        var sent: [OutboxEntry] = []
        for case .sent(let entries) in writes { sent += entries }
        var taken: [OutboxEntry] = []
        var violations: [String] = []
        for case .taken(let id) in writes {
            if let index = outbox.firstIndex(where: { $0.id == id }) {
                taken.append(outbox.remove(at: index))
            } else {
                violations.append("I11: \(id) was taken out of the outbox twice")
            }
        }
        for case .side(let side) in writes {
            violations += Self.wrong(side, self.side(of: side.userID, with: side.peerID), sent: sent, taken: taken)
            sides[side.userID, default: [:]][side.peerID] = side
        }
        for entry in taken where !isHeard(entry) {
            violations.append("I11: \(entry.id) was taken out of the outbox and means nothing to \(entry.targetKey)")
        }
        for entry in sent {
            let index = outbox.firstIndex { $0.id > entry.id } ?? outbox.endIndex
            outbox.insert(entry, at: index)
        }
        return violations
    }

    /// Whether its target knows what it says, or something later.
    private func isHeard(_ entry: OutboxEntry) -> Bool {
        guard let notice = PeerNotice(entry) else { return false }
        let known = side(of: entry.targetKey, with: notice.senderID)?.peer.version ?? Snowflake(0)
        return known >= notice.half.version
    }

    private static func wrong(
        _ side: RelationshipSide, _ former: RelationshipSide?, sent: [OutboxEntry], taken: [OutboxEntry]
    ) -> [String] {
        var violations: [String] = []
        let said = PeerNotice(senderID: side.userID, half: side.own)
        if side.own != former?.own ?? RelationshipHalf(),
            !sent.contains(where: { $0.targetKey == side.peerID && PeerNotice($0) == said })
        {
            violations.append("I11: \(side.userID) said something of \(side.peerID), who is not told")
        }
        let heard = PeerNotice(senderID: side.peerID, half: side.peer)
        if side.peer != former?.peer ?? RelationshipHalf(), !taken.contains(where: { PeerNotice($0) == heard }) {
            violations.append("I11: \(side.userID) heard something of \(side.peerID), and may hear it again")
        }
        return violations
    }
}
