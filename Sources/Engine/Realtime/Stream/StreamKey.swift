import FluxCore

/// Names a stream: what one actor emits in order. A guild's carries the events of its channels too; what happens in a DM comes
/// through the streams of its recipients (design 4).
public struct StreamKey: Hashable, Sendable {
    public enum Kind: UInt8, Sendable {
        case guild = 1
        case user = 3
    }

    public var kind: Kind
    public var id: Snowflake

    public static func guild(_ id: GuildID) -> StreamKey { StreamKey(kind: .guild, id: id) }
    public static func user(_ id: UserID) -> StreamKey { StreamKey(kind: .user, id: id) }

    /// Ids of guilds and users are no others' ids.
    public func hash(into hasher: inout Hasher) { hasher.combine(id) }

    /// The slot whose owner emits the stream.
    public var slot: Slot { Slot(of: id) }
}
