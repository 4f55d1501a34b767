import FluxCore
import FluxStore

/// Friends, requests and blocks (protocol 9.1).
extension UserState {
    func listRelationships(_ planning: UserPlanning) -> UserPlan {
        UserPlan(
            reply: .ok { writeRelationships(planning.users, to: &$0) })
    }

    /// Asks for friendship, or accepts the other one's request. One that stands is no change.
    func ask(_ peerID: UserID, _ planning: UserPlanning) throws(APIError) -> UserPlan {
        let peer = try self.peer(peerID, planning)
        let side = side(with: peerID, at: planning.now)
        switch side.kind {
        case .friend, .outgoing: return UserPlan()
        case .blocked: throw .friendRequestBlocked
        case .incoming: break
        case nil:
            guard !side.peer.blocks else { throw .friendRequestBlocked }
            guard !peer.isBot, !planning.closedUsers.contains(peerID) else { throw .friendRequestsClosed }
        }
        try checkRoom(for: side.kind == .incoming ? .friend : .outgoing)
        return try say(peer, planning) { version in side.asking(version: version, at: planning.now) }
    }

    func setRelationship(with peerID: UserID, _ body: JSON, _ planning: UserPlanning) throws(APIError) -> UserPlan {
        var reader = BodyReader(body == .null ? .object(JSONObject()) : body)
        let kind = reader.choice("type", of: [1, 2]).value ?? 1
        try reader.finish()
        return kind == 2 ? try block(peerID, planning) : try ask(peerID, planning)
    }

    /// Ends a friendship, withdraws or declines a request, or lifts a block. Where there is nothing it is no change.
    func removeRelationship(with peerID: UserID, _ planning: UserPlanning) throws(APIError) -> UserPlan {
        guard let side = relationships[peerID], side.kind != nil else { return UserPlan() }
        let peer = try self.peer(peerID, planning)
        return try say(peer, planning) { version in side.ending(version: version, at: planning.now) }
    }

    /// Sets the name under which the user sees a friend.
    func rename(_ peerID: UserID, _ body: JSON, _ planning: UserPlanning) throws(APIError) -> UserPlan {
        guard var side = relationships[peerID], side.kind == .friend else { throw .unknownUser }
        var reader = BodyReader(body)
        reader.string("nickname", length: 1...32).apply(to: &side.nickname)
        try reader.finish()
        guard side != relationships[peerID] else { return UserPlan() }
        return UserPlan(changes: [.relationship(side, peer: try peer(peerID, planning))])
    }

    /// Decides what the other side's word comes to. The word is taken out of the outbox in any case; one that is older than
    /// what was heard, or not to be understood, changes nothing else.
    package func plan(_ entry: OutboxEntry, _ planning: UserPlanning) throws(APIError) -> UserPlan {
        let taken = UserChange.noticeTaken(entry.id)
        guard let notice = PeerNotice(entry), let peer = planning.users[notice.senderID],
            let side = side(with: peer.id, at: planning.now).hearing(notice.half, at: entry.createdAt)
        else { return UserPlan(changes: [taken]) }
        // A request for which there is no room is declined at once, so that it does not stand on one side alone.
        let isRequest = side.kind == .incoming && relationships[peer.id]?.kind != .incoming
        if isRequest, !hasRoom(for: .incoming) {
            let declined = try say(peer, planning) { version in side.ending(version: version, at: planning.now) }
            return UserPlan(changes: [taken] + declined.changes)
        }
        return UserPlan(changes: [taken, .relationship(side, peer: peer)])
    }

    private func block(_ peerID: UserID, _ planning: UserPlanning) throws(APIError) -> UserPlan {
        let peer = try self.peer(peerID, planning)
        let side = side(with: peerID, at: planning.now)
        guard side.kind != .blocked else { return UserPlan() }
        try checkRoom(for: .blocked)
        return try say(peer, planning) { version in side.blocking(version: version, at: planning.now) }
    }

    /// Changes the user's own half, and tells the other side in the same transaction.
    private func say(
        _ peer: User, _ planning: UserPlanning, _ change: (Snowflake) -> RelationshipSide
    ) throws(APIError) -> UserPlan {
        let id = try planning.mint()
        let side = change(id)
        let notice = PeerNotice(senderID: userID, half: side.own)
        return UserPlan(changes: [
            .relationship(side, peer: peer), .noticeSent(notice.entry(id: id, to: peer.id, at: planning.now)),
        ])
    }

    private func peer(_ id: UserID, _ planning: UserPlanning) throws(APIError) -> User {
        guard id != userID else { throw .friendRequestToSelf }
        guard let peer = planning.users[id] else { throw .friendRequestUnknownUser }
        return peer
    }

    private func checkRoom(for kind: Relationship.Kind) throws(APIError) {
        guard hasRoom(for: kind) else { throw .tooManyRelationships }
    }

    private func hasRoom(for kind: Relationship.Kind) -> Bool {
        relationships.values.count { $0.kind == kind } < Self.relationshipLimit
    }
}

extension APIError {
    /// Friends, requests or blocked people are at their bound.
    static let tooManyRelationships = APIError(
        status: 400, code: 30002, message: "Maximum number of friends reached (\(UserState.relationshipLimit))")
}
