import FluxCore

/// One side of a relationship: what its user has said, and the last that was heard from the other.
public struct RelationshipSide: Sendable, Hashable {
    public var userID: UserID
    public var peerID: UserID
    /// What follows from the halves; nil where the two are nothing to each other.
    public var kind: Relationship.Kind?
    public var nickname: String?
    /// When `kind` came about.
    public var since: Timestamp
    public var own: RelationshipHalf
    public var peer: RelationshipHalf

    public init(
        userID: UserID, peerID: UserID, kind: Relationship.Kind? = nil, nickname: String? = nil, since: Timestamp,
        own: RelationshipHalf = RelationshipHalf(), peer: RelationshipHalf = RelationshipHalf()
    ) {
        self.userID = userID
        self.peerID = peerID
        self.kind = kind
        self.nickname = nickname
        self.since = since
        self.own = own
        self.peer = peer
    }
}
