/// What one person is to another, from the side of one of them (protocol 9.1).
public struct Relationship: Sendable, Equatable {
    /// The raw value is the `type` of the wire.
    public enum Kind: Int, Sendable {
        case friend = 1
        case blocked = 2
        case incoming = 3
        case outgoing = 4
    }

    /// Whose record this is.
    public var userID: UserID
    /// The other one.
    public var peerID: UserID
    public var kind: Kind
    public var nickname: String?
    public var since: Timestamp

    public init(userID: UserID, peerID: UserID, kind: Kind, nickname: String? = nil, since: Timestamp) {
        self.userID = userID
        self.peerID = peerID
        self.kind = kind
        self.nickname = nickname
        self.since = since
    }

    /// Writes the relationship object. `shouldNotify` stands in RELATIONSHIP_ADD alone.
    public func write(to writer: inout JSONWriter, peer: User, shouldNotify: Bool? = nil) {
        writer.beginObject()
        writer.field("id", peerID)
        writer.field("type", kind.rawValue)
        writer.field("nickname", nickname)
        writer.field("since", since)
        writer.key("user")
        peer.write(to: &writer)
        if let shouldNotify { writer.field("should_notify", shouldNotify) }
        writer.endObject()
    }
}
