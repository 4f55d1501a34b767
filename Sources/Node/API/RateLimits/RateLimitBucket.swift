/// The buckets of protocol 3.6. The raw value is what `X-RateLimit-Bucket` carries: libraries key on it together with the
/// channel, guild or webhook of the path, so it must never change for a route and is the same for all of them.
public enum RateLimitBucket: String, Sendable, CaseIterable {
    case messageCreate = "d1f0c7a2"
    case messageChange = "5be92c41"
    case bulkDelete = "a97e03d8"
    case reaction = "3c6d18bf"
    case typing = "e0427f95"
    case acknowledge = "71ab5de6"
    case guildChange = "96f3e24c"
    case guildCreate = "0a8d7b13"
    case friendRequest = "c25e94f7"
    case applicationCreate = "4f71b06a"
    case search = "b83ac5d9"
    case register = "17e6a0fd"
    case login = "f94b3861"
    case refresh = "680fc2ee"

    /// The name under which configuration speaks of the bucket.
    public var name: String {
        switch self {
        case .messageCreate: "message_create"
        case .messageChange: "message_change"
        case .bulkDelete: "bulk_delete"
        case .reaction: "reaction"
        case .typing: "typing"
        case .acknowledge: "acknowledge"
        case .guildChange: "guild_change"
        case .guildCreate: "guild_create"
        case .friendRequest: "friend_request"
        case .applicationCreate: "application_create"
        case .search: "search"
        case .register: "register"
        case .login: "login"
        case .refresh: "refresh"
        }
    }

    /// Whether the bucket counts by address, because its callers have no credential yet. Loopback is exempt from these.
    public var countsByAddress: Bool {
        switch self {
        case .register, .login, .refresh: true
        default: false
        }
    }
}
