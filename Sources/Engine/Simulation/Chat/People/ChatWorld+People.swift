import FluxCore
import FluxStore

extension ChatWorld {
    /// Looks through what is left of what people are to each other: nobody has half a friendship, and every client shows what is
    /// stored (I11).
    func auditPeople() {
        for entry in messages.people.outbox {
            auditor.violate(now, "I11: \(entry.id) waits in the outbox for \(entry.targetKey)")
        }
        for client in clients {
            let sides = messages.people.relationships(of: client.userID)
            for side in sides {
                let other = messages.people.side(of: side.peerID, with: side.userID)
                if other?.peer != side.own {
                    auditor.violate(now, "I11: \(side.peerID) does not know what \(side.userID) says of them")
                }
                let isFriend = other?.kind == .friend
                if (side.kind == .friend) != isFriend {
                    auditor.violate(now, "I11: \(side.userID) and \(side.peerID) have half a friendship")
                }
            }
            let stored = Dictionary(
                uniqueKeysWithValues: sides.compactMap { side in side.kind.map { (side.peerID, $0) } })
            if client.isReady, stored != client.relationships {
                auditor.violate(
                    now,
                    "I6: client \(client.number) shows other relationships than are stored: "
                        + Self.difference(client.relationships, stored))
            }
        }
    }

    /// The place of a change in the batch that takes out of the outbox what was taken before.
    func repeatedPosition(in batch: LaneBatch, of node: ChatNode) -> Int? {
        guard node.people.openStatements > 0 else { return nil }
        return batch.mutations.firstIndex { mutation in
            if case .statements(let statements) = mutation.change { messages.people.refuses(statements) } else { false }
        }
    }

    private static func difference(
        _ shown: [UserID: Relationship.Kind], _ stored: [UserID: Relationship.Kind]
    ) -> String {
        Set(shown.keys).union(stored.keys).sorted().filter { shown[$0] != stored[$0] }.map { peerID in
            "\(peerID) is \(shown[peerID].map { "\($0)" } ?? "nothing"), not \(stored[peerID].map { "\($0)" } ?? "nothing")"
        }.joined(separator: ", ")
    }
}
