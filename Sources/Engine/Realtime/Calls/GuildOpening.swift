import FluxCluster
import FluxCore

/// A session of a member asks for the guild: its events are wanted from here on.
struct GuildOpeningRequest: WireCodable, Equatable {
    var userID: UserID
    /// Where the session lives.
    var node: NodeID
    /// Up to how many members the answer lists all of them.
    var largeThreshold: Int
    var wantsPresences: Bool

    init(userID: UserID, node: NodeID, largeThreshold: Int, wantsPresences: Bool) {
        self.userID = userID
        self.node = node
        self.largeThreshold = largeThreshold
        self.wantsPresences = wantsPresences
    }

    func encode(to writer: inout WireWriter) {
        writer.value(userID)
        writer.value(node)
        writer.signed(largeThreshold)
        writer.bool(wantsPresences)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(
            userID: try reader.value(), node: try reader.value(), largeThreshold: try reader.signed(),
            wantsPresences: try reader.bool())
    }
}

/// The guild as a member sees it, at a point of its stream.
struct GuildOpening: WireCodable {
    var position: StreamPosition
    var visibility: ChannelVisibility
    /// The `d` of GUILD_CREATE, without `unavailable`.
    var body: [UInt8]

    init(position: StreamPosition, visibility: ChannelVisibility, body: [UInt8]) {
        self.position = position
        self.visibility = visibility
        self.body = body
    }

    func encode(to writer: inout WireWriter) {
        writer.value(position)
        writer.list(Array(visibility.channels))
        writer.byteArray(body)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let position = try reader.value(StreamPosition.self)
        let channels = try reader.list(of: ChannelID.self)
        self.init(position: position, visibility: ChannelVisibility(Set(channels)), body: try reader.byteArray())
    }
}

/// A session of a member listens to the guild's stream from now on, or no longer.
struct GuildWatch: WireCodable, Equatable {
    var userID: UserID
    /// Where the session lives, or lived.
    var node: NodeID

    init(userID: UserID, node: NodeID) {
        self.userID = userID
        self.node = node
    }

    func encode(to writer: inout WireWriter) {
        writer.value(userID)
        writer.value(node)
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(userID: try reader.value(), node: try reader.value())
    }
}

/// What others see of a user from now on.
struct MemberPresence: WireCodable, Equatable {
    var presence: Presence

    init(_ presence: Presence) { self.presence = presence }

    func encode(to writer: inout WireWriter) {
        writer.value(presence.userID)
        writer.string(presence.status.rawValue)
        writer.value(presence.activities)
        writer.value(presence.clientStatus)
    }

    init(from reader: inout WireReader) throws(WireError) {
        let userID = try reader.value(UserID.self)
        guard let status = PresenceStatus(rawValue: try reader.string()) else { throw .malformed("no such status") }
        self.init(
            Presence(
                userID: userID, status: status, activities: try reader.value(), clientStatus: try reader.value()))
    }
}
