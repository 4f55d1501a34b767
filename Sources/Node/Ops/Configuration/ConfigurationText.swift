/// A value as it was written: in YAML, in the environment or on the command line.
public enum ConfigurationText: Sendable, Equatable {
    /// One value; empty where YAML has null.
    case scalar(String)
    /// A YAML sequence.
    case list([String])

    /// As one line, for messages.
    var line: String {
        switch self {
        case .scalar(let text): text
        case .list(let texts): "[" + texts.joined(separator: ", ") + "]"
        }
    }
}
