/// The kinds of events that a bot asks for (protocol 7.8).
public struct Intents: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64

    @inlinable
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    public static let guilds = Intents(rawValue: 1 << 0)
    public static let guildMembers = Intents(rawValue: 1 << 1)
    public static let guildModeration = Intents(rawValue: 1 << 2)
    public static let guildExpressions = Intents(rawValue: 1 << 3)
    public static let guildIntegrations = Intents(rawValue: 1 << 4)
    public static let guildWebhooks = Intents(rawValue: 1 << 5)
    public static let guildInvites = Intents(rawValue: 1 << 6)
    public static let guildVoiceStates = Intents(rawValue: 1 << 7)
    public static let guildPresences = Intents(rawValue: 1 << 8)
    public static let guildMessages = Intents(rawValue: 1 << 9)
    public static let guildMessageReactions = Intents(rawValue: 1 << 10)
    public static let guildMessageTyping = Intents(rawValue: 1 << 11)
    public static let directMessages = Intents(rawValue: 1 << 12)
    public static let directMessageReactions = Intents(rawValue: 1 << 13)
    public static let directMessageTyping = Intents(rawValue: 1 << 14)
    public static let messageContent = Intents(rawValue: 1 << 15)
    public static let guildScheduledEvents = Intents(rawValue: 1 << 16)
    public static let autoModerationConfiguration = Intents(rawValue: 1 << 20)
    public static let autoModerationExecution = Intents(rawValue: 1 << 21)
    public static let guildMessagePolls = Intents(rawValue: 1 << 24)
    public static let directMessagePolls = Intents(rawValue: 1 << 25)

    /// Every bit that may be asked for; others close the connection with 4013.
    public static let all = Intents(rawValue: 0x0331_FFFF)
}
