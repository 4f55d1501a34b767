import FluxCore

/// The channels of a guild that a member may view. Immutable and shared by all members with equal rights, so that a loop asks
/// once per event and group of members, not once per member.
public final class ChannelVisibility: Sendable, Hashable {
    public let channels: Set<ChannelID>
    private let hash: Int

    public init(_ channels: Set<ChannelID>) {
        self.channels = channels
        hash = channels.hashValue
    }

    public func contains(_ channel: ChannelID) -> Bool { channels.contains(channel) }

    public static func == (left: ChannelVisibility, right: ChannelVisibility) -> Bool {
        left === right || (left.hash == right.hash && left.channels == right.channels)
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}
