/// One key of the configuration: its path, what may stand there, what it means, and where its value goes.
public struct ConfigurationKey: Sendable {
    /// Dotted path, `limits.message_length`.
    public let path: String
    /// What may stand there, as a phrase.
    public let allowed: String
    /// What the key does, in one or two sentences.
    public let summary: String
    /// Whether the value must never be shown.
    public let isSecret: Bool

    let write: @Sendable (ConfigurationText, inout NodeConfiguration) -> Bool
    let read: @Sendable (NodeConfiguration) -> ConfigurationText?

    init<Value: Sendable>(
        _ path: String, _ type: ConfigurationValueType<Value>,
        _ place: any WritableKeyPath<NodeConfiguration, Value> & Sendable, secret: Bool = false, _ summary: String
    ) {
        self.path = path
        self.allowed = type.allowed
        self.summary = summary
        self.isSecret = secret
        self.write = { text, configuration in
            guard let value = type.parse(text) else { return false }
            configuration[keyPath: place] = value
            return true
        }
        self.read = { type.render($0[keyPath: place]) }
    }

    /// A key that may be left without a value.
    init<Value: Sendable>(
        _ path: String, optional type: ConfigurationValueType<Value>,
        _ place: any WritableKeyPath<NodeConfiguration, Value?> & Sendable, secret: Bool = false, _ summary: String
    ) {
        self.init(path, type.orNothing, place, secret: secret, summary)
    }

    /// A key that holds a list.
    init<Value: Sendable>(
        _ path: String, list type: ConfigurationValueType<Value>,
        _ place: any WritableKeyPath<NodeConfiguration, [Value]> & Sendable, _ summary: String
    ) {
        self.init(path, type.list, place, summary)
    }

    /// The environment variable that overrides the key: `FLUX_LIMITS_MESSAGE_LENGTH`.
    public var environmentName: String {
        "FLUX_" + path.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }
}
