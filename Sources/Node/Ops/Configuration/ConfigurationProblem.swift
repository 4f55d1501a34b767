/// One thing that is wrong with a configuration, and where.
public struct ConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where a value was written.
    public enum Place: Sendable, Hashable, CustomStringConvertible {
        /// A line of the configuration file, from 1.
        case file(String, line: Int)
        /// An environment variable.
        case environment(String)
        /// A command line option.
        case option(String)
        /// Nowhere: the value is the default.
        case preset

        /// `file:line`, or the name.
        public var description: String {
            switch self {
            case .file(let path, let line): "\(path):\(line)"
            case .environment(let name): "environment \(name)"
            case .option(let name): name
            case .preset: "default"
            }
        }
    }

    /// Where it stands.
    public let place: Place
    /// What is wrong and what is allowed.
    public let message: String

    /// `place: message`.
    public var description: String { "\(place): \(message)" }
}

/// Everything that is wrong with a configuration. Never empty.
public struct ConfigurationProblems: Error, Sendable, Equatable, CustomStringConvertible {
    /// In the order of the file, then environment, then options.
    public let problems: [ConfigurationProblem]

    /// One line each.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
