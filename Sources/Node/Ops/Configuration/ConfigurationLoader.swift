import Foundation

/// Puts a node's configuration together: defaults, under the file, under the environment, under the command line.
///
/// All problems are found in one pass, so that a file is mended once and not line by line.
public struct ConfigurationLoader: Sendable {
    /// A value given on the command line.
    public struct Option: Sendable {
        /// As the user wrote it, `--listen`.
        public let name: String
        /// The key that it sets.
        public let path: String
        /// Its value.
        public let text: String

        /// A value of an option.
        public init(name: String, path: String, text: String) {
            self.name = name
            self.path = path
            self.text = text
        }
    }

    /// Variables with our prefix that are no keys of the configuration.
    static let reservedVariables: Set<String> = ["FLUX_CONFIG", "FLUX_FUZZ", "FLUX_ADMIN", RehearsedWire.variable]

    private let file: String?
    private let environment: [String: String]
    private let options: [Option]

    /// A loader of these sources.
    /// - Parameters:
    ///   - file: path of the YAML file; nil: no file, the defaults stand.
    ///   - environment: the process's environment; only names that begin with `FLUX_` are read.
    ///   - options: values of the command line; they win.
    public init(file: String?, environment: [String: String], options: [Option] = []) {
        self.file = file
        self.environment = environment
        self.options = options
    }

    /// Reads everything.
    /// - Throws: ``ConfigurationProblems``, with the place of each and what would be allowed.
    public func load() throws(ConfigurationProblems) -> LoadedConfiguration {
        var draft = ConfigurationDraft()
        if let file {
            do throws(ConfigurationProblem) {
                let document = try ConfigurationDocument(
                    yaml: try Self.read(file, namedBy: .option("--config")), file: file)
                draft.take(document, file: file)
            } catch {
                draft.report(error)
            }
        }
        for key in ConfigurationSchema.keys {
            guard let text = environment[key.environmentName] else { continue }
            draft.set(key, to: .scalar(text), from: .environment(key.environmentName))
        }
        for option in options {
            draft.set(path: option.path, to: .scalar(option.text), from: .option(option.name))
        }
        return try draft.finished(warnings: strayVariables())
    }

    /// Variables that look like ours and set nothing. They are no error: an orchestrator makes some of its own
    /// (Kubernetes sets `FLUX_PORT` for a service named flux).
    private func strayVariables() -> [String] {
        let known = Set(ConfigurationSchema.keys.map(\.environmentName)).union(Self.reservedVariables)
        return environment.keys.filter { $0.hasPrefix("FLUX_") && !known.contains($0) }.sorted().map { name in
            let hint = EditDistance.nearest(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
            return "environment \(name): sets no key\(hint)"
        }
    }

    /// The text of a file. The problem names the place that asked for it, never its content.
    static func read(_ path: String, namedBy place: ConfigurationProblem.Place) throws(ConfigurationProblem) -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            let reason =
                switch (error as? CocoaError)?.code {
                case .fileReadNoSuchFile: "there is no such file"
                case .fileReadNoPermission: "not readable by this user"
                case .fileReadInapplicableStringEncoding, .fileReadCorruptFile: "not UTF-8 text"
                default: "not readable"
                }
            throw ConfigurationProblem(place: place, message: "\(path): \(reason)")
        }
    }
}

/// A configuration that passed every check, and where its values came from.
public struct LoadedConfiguration: Sendable {
    /// The values, secrets read from their files.
    public let configuration: NodeConfiguration
    /// Where each key that is not a default was set, by path.
    public let places: [String: ConfigurationProblem.Place]
    /// What deserves a look but stops nothing.
    public let warnings: [String]
}
