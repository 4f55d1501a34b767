/// A configuration while its sources are laid over each other.
struct ConfigurationDraft {
    private var configuration = NodeConfiguration()
    private var places: [String: ConfigurationProblem.Place] = [:]
    private var problems: [ConfigurationProblem] = []

    private static let keysByPath = Dictionary(uniqueKeysWithValues: ConfigurationSchema.keys.map { ($0.path, $0) })
    /// Every proper prefix of a key's path.
    private static let sections = Set(ConfigurationSchema.keys.flatMap { prefixes(of: $0.path) })

    private static func prefixes(of path: String) -> [String] {
        let parts = path.split(separator: ".")
        return (1..<max(1, parts.count)).map { parts.prefix($0).joined(separator: ".") }
    }

    /// Lays a file's values over what is there.
    mutating func take(_ document: ConfigurationDocument, file: String) {
        problems += document.problems
        var refused: [String] = []
        for entry in document.entries {
            // Below an unknown section every key is unknown; saying so once is enough.
            guard !refused.contains(where: { entry.path.hasPrefix($0 + ".") }) else { continue }
            let place = ConfigurationProblem.Place.file(file, line: entry.line)
            switch (entry.text, Self.keysByPath[entry.path], Self.sections.contains(entry.path)) {
            case (.scalar("")?, _?, _), (.scalar("")?, nil, true), (nil, nil, true): break  // left empty: not set
            case (let text?, let key?, _): set(key, to: text, from: place)
            case (nil, let key?, _):
                problems.append(
                    .init(place: place, message: "\(key.path) is a value, not a section; allowed: \(key.allowed)"))
                refused.append(entry.path)
            case (_?, nil, true):
                problems.append(
                    .init(place: place, message: "\(entry.path) is a section; its keys go below it, indented"))
            case (_, nil, false):
                reportUnknown(entry.path, at: place)
                refused.append(entry.path)
            }
        }
    }

    /// Sets a key by its path.
    mutating func set(path: String, to text: ConfigurationText, from place: ConfigurationProblem.Place) {
        guard let key = Self.keysByPath[path] else { return reportUnknown(path, at: place) }
        set(key, to: text, from: place)
    }

    /// Sets a key, or reports why not.
    mutating func set(_ key: ConfigurationKey, to text: ConfigurationText, from place: ConfigurationProblem.Place) {
        guard key.write(text, &configuration) else {
            let shown = key.isSecret ? "the value" : "\"\(text.line)\""
            report(.init(place: place, message: "\(key.path): \(shown) is refused; allowed: \(key.allowed)"))
            return
        }
        places[key.path] = place
    }

    /// Adds a problem.
    mutating func report(_ problem: ConfigurationProblem) {
        problems.append(problem)
    }

    /// The checked configuration, its secrets read from their files.
    consuming func finished(warnings: [String]) throws(ConfigurationProblems) -> LoadedConfiguration {
        readSecrets()
        checkWhole()
        guard problems.isEmpty else { throw ConfigurationProblems(problems: problems) }
        return LoadedConfiguration(configuration: configuration, places: places, warnings: warnings)
    }

    private mutating func reportUnknown(_ path: String, at place: ConfigurationProblem.Place) {
        let section = path.split(separator: ".").dropLast().joined(separator: ".")
        let candidates = Set(Self.keysByPath.keys).union(Self.sections)
        let hint: String
        if let nearest = EditDistance.nearest(to: path, among: candidates.sorted()) {
            hint = "did you mean \(nearest)?"
        } else {
            let here = candidates.filter { $0.split(separator: ".").dropLast().joined(separator: ".") == section }
            let known = here.isEmpty ? candidates.filter { !$0.contains(".") } : here
            hint = "known here: " + known.sorted().joined(separator: ", ")
        }
        report(.init(place: place, message: "unknown key \(path); \(hint)"))
    }

    private mutating func readSecrets() {
        configuration.database.url = secret(
            "database.url", given: configuration.database.url, file: configuration.database.urlFile)
        let store = configuration.storage.s3
        configuration.storage.s3.accessKey = secret(
            "storage.s3.access_key", given: store.accessKey, file: store.accessKeyFile)
        configuration.storage.s3.secretKey = secret(
            "storage.s3.secret_key", given: store.secretKey, file: store.secretKeyFile)
    }

    /// The secret of a key, or the content of the file that its `_file` twin names. Where both are set, the source
    /// of higher rank wins, so that a file's key can be overridden from the environment.
    private mutating func secret(_ path: String, given: Secret?, file: String?) -> Secret? {
        let filePath = path + "_file"
        guard let file else { return given }
        let place = places[filePath] ?? .preset
        if given != nil {
            let rank = (places[path] ?? .preset).rank
            if rank > place.rank { return given }
            if rank == place.rank {
                report(.init(place: place, message: "\(path) and \(filePath) are both set; keep one"))
                return given
            }
        }
        do throws(ConfigurationProblem) {
            let content = try ConfigurationLoader.read(file, namedBy: place).trimmed
            if content.isEmpty { throw ConfigurationProblem(place: place, message: "\(filePath): \(file) is empty") }
            return Secret(String(content))
        } catch {
            report(error)
            return nil
        }
    }

    /// What no key can know alone.
    private mutating func checkWhole() {
        let tls = configuration.tls
        if (tls.certificate == nil) != (tls.key == nil) {
            let present = tls.certificate == nil ? "tls.key" : "tls.cert"
            report(.init(place: places[present] ?? .preset, message: "tls.cert and tls.key: set both or none"))
        }
        if let url = configuration.database.url?.exposed, !url.hasPrefix("postgres://"), !url.hasPrefix("postgresql://")
        {
            let place = places["database.url"] ?? places["database.url_file"] ?? .preset
            report(.init(place: place, message: "database.url: the value is refused; allowed: a postgres:// URL"))
        }
        if configuration.clusterAdvertise == nil, ["0.0.0.0", "::"].contains(configuration.clusterListen.host) {
            report(
                .init(
                    place: places["cluster_listen"] ?? .preset,
                    message:
                        "cluster_listen: other nodes cannot connect to every address; set cluster_advertise to the "
                        + "one that they reach"))
        }
        if let address = configuration.clusterAdvertise, address.port == 0 {
            report(.init(place: places["cluster_advertise"] ?? .preset, message: "cluster_advertise: needs a port"))
        }
        guard configuration.storage.kind == .s3 else { return }
        let store = configuration.storage.s3
        let needed: [(String, Bool)] = [
            ("storage.s3.endpoint", store.endpoint != nil), ("storage.s3.bucket", store.bucket != nil),
            ("storage.s3.access_key", store.accessKey != nil), ("storage.s3.secret_key", store.secretKey != nil),
        ]
        for (path, isThere) in needed where !isThere {
            report(.init(place: places["storage.kind"] ?? .preset, message: "storage.kind s3 needs \(path)"))
        }
    }
}

extension ConfigurationProblem.Place {
    /// Later sources win: the command line over the environment over the file.
    fileprivate var rank: Int {
        switch self {
        case .preset: 0
        case .file: 1
        case .environment: 2
        case .option: 3
        }
    }
}
