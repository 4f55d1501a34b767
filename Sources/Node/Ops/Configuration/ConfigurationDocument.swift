import Yams

/// A YAML file as a flat list of dotted paths with their texts and lines.
struct ConfigurationDocument {
    /// One key of the file.
    struct Entry: Equatable {
        let path: String
        /// nil: a section, whose keys are entries of their own.
        let text: ConfigurationText?
        let line: Int
    }

    /// In the order of the file.
    private(set) var entries: [Entry] = []
    /// Keys that are no scalars, values that are nested too deep and the like.
    private(set) var problems: [ConfigurationProblem] = []

    private let file: String

    /// Reads a file's text. Throws what libYAML refuses, with its line.
    init(yaml: String, file: String) throws(ConfigurationProblem) {
        self.file = file
        let root: Node?
        do {
            root = try compose(yaml: yaml)
        } catch {
            throw Self.problem(of: error, in: file)
        }
        guard let root else { return }
        switch root {
        case .mapping(let mapping): flatten(mapping, below: "")
        case .scalar(let scalar) where scalar.string.isEmpty: break
        default: refuse(root.mark, "the file must be a list of key: value lines")
        }
    }

    private mutating func flatten(_ mapping: Node.Mapping, below prefix: String) {
        for (key, value) in mapping {
            guard case .scalar(let name) = key else {
                refuse(key.mark, "a key must be a plain word")
                continue
            }
            let path = prefix.isEmpty ? name.string : prefix + "." + name.string
            let line = key.mark?.line ?? 1
            switch value {
            case .mapping(let section):
                entries.append(Entry(path: path, text: nil, line: line))
                flatten(section, below: path)
            case .scalar(let scalar):
                entries.append(Entry(path: path, text: .scalar(Self.text(of: scalar)), line: line))
            case .sequence(let sequence):
                append(sequence, path: path, line: line)
            case .alias(let alias):
                refuse(alias.mark, "\(path): aliases are not used here; write the value out")
            }
        }
    }

    private mutating func append(_ sequence: Node.Sequence, path: String, line: Int) {
        var items: [String] = []
        for node in sequence {
            guard case .scalar(let scalar) = node else {
                refuse(node.mark, "\(path): a list may hold single values only")
                return
            }
            items.append(Self.text(of: scalar))
        }
        entries.append(Entry(path: path, text: .list(items), line: line))
    }

    private mutating func refuse(_ mark: Mark?, _ message: String) {
        problems.append(ConfigurationProblem(place: .file(file, line: mark?.line ?? 1), message: message))
    }

    /// A scalar's text; plain `null` and `~` count as empty.
    private static func text(of scalar: Node.Scalar) -> String {
        scalar.style == .plain && ["null", "Null", "NULL", "~"].contains(scalar.string) ? "" : scalar.string
    }

    private static func problem(of error: any Error, in file: String) -> ConfigurationProblem {
        let (line, message): (Int, String) =
            switch error as? YamlError {
            case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
                .composer(_, let problem, let mark, _):
                (mark.line, problem)
            case .duplicatedKeysInMapping(let duplicates, let context):
                (context.mark.line, "written twice: " + duplicates.joined(separator: ", "))
            case .reader(let problem, _, _, _): (1, problem)
            default: (1, "\(error)")
            }
        return ConfigurationProblem(place: .file(file, line: line), message: "not readable as YAML: \(message)")
    }
}
