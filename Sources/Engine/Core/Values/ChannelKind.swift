/// The kinds of channels (protocol 6.4); the raw value is the `type` of the wire.
public enum ChannelKind: Int, Sendable, CaseIterable {
    case text = 0
    case directMessage = 1
    case voice = 2
    case groupDirectMessage = 3
    case category = 4
    case news = 5

    /// Whether channels of this kind belong to a guild.
    public var isOfGuild: Bool {
        switch self {
        case .text, .voice, .category, .news: true
        case .directMessage, .groupDirectMessage: false
        }
    }

    /// Whether messages can be sent there.
    public var holdsMessages: Bool {
        self != .category
    }
}
