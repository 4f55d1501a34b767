/// How often callers may call: protocol 3.6 by default, every number of it can be changed, and all of it switched off.
public struct RateLimitConfiguration: Sendable {
    /// So many calls in so many seconds.
    public struct Rule: Hashable, Sendable {
        /// Calls in one window.
        public var tokens: Int
        /// Length of the window in seconds.
        public var seconds: Int

        /// Makes a rule. Less than one token or one second counts as one.
        public init(tokens: Int, seconds: Int) {
            self.tokens = max(1, tokens)
            self.seconds = max(1, seconds)
        }
    }

    /// Whether anything is limited at all.
    public var isOn: Bool
    /// The limit over all routes, per credential.
    public var global: Rule
    /// The limits of single buckets; one that is missing is not limited.
    public var rules: [RateLimitBucket: Rule]

    /// Makes a configuration.
    public init(isOn: Bool = true, global: Rule = defaultGlobal, rules: [RateLimitBucket: Rule] = defaultRules) {
        self.isOn = isOn
        self.global = global
        self.rules = rules
    }

    /// 50 calls a second.
    public static let defaultGlobal = Rule(tokens: 50, seconds: 1)

    /// The table of protocol 3.6.
    public static let defaultRules: [RateLimitBucket: Rule] = [
        .messageCreate: Rule(tokens: 50, seconds: 10),
        .messageChange: Rule(tokens: 50, seconds: 10),
        .bulkDelete: Rule(tokens: 5, seconds: 5),
        .reaction: Rule(tokens: 30, seconds: 5),
        .typing: Rule(tokens: 10, seconds: 5),
        .acknowledge: Rule(tokens: 60, seconds: 10),
        .guildChange: Rule(tokens: 50, seconds: 10),
        .guildCreate: Rule(tokens: 10, seconds: 60),
        .friendRequest: Rule(tokens: 20, seconds: 60),
        .applicationCreate: Rule(tokens: 20, seconds: 60),
        .search: Rule(tokens: 10, seconds: 10),
        .register: Rule(tokens: 10, seconds: 60),
        .login: Rule(tokens: 20, seconds: 60),
        .refresh: Rule(tokens: 60, seconds: 60),
    ]
}
