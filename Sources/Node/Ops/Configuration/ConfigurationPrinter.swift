/// Writes configurations as YAML that ``ConfigurationLoader`` reads back.
public enum ConfigurationPrinter {
    /// The values in force. Secrets are shown as `***`; a comment says where what is no default was set.
    public static func effective(_ loaded: LoadedConfiguration) -> String {
        var lines: [String] = []
        write(to: &lines) { key, indent in
            let name = key.path.split(separator: ".").last ?? ""
            let text = key.read(loaded.configuration)
            let value = text == nil ? "" : key.isSecret ? " \"***\"" : " " + yaml(text)
            let place = loaded.places[key.path].map { "  # \($0)" } ?? ""
            return ["\(indent)\(name):\(value)\(place)"]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The reference file: every key with its default, what may stand there and what it does.
    public static func reference() -> String {
        let preset = NodeConfiguration()
        var lines = [
            "# A single Flux node. Every key with its default; keys without a value may be left out.",
            "#",
            "# A variable FLUX_ + the key in capitals, dots as underscores (FLUX_DATABASE_URL), overrides a key;",
            "# options of `flux node run` override both. `flux config check` reads a file without starting a node.",
        ]
        write(to: &lines, sectionComments: true) { key, indent in
            let name = key.path.split(separator: ".").last ?? ""
            let text = key.read(preset)
            let comment = wrapped(key.summary + " Allowed: " + key.allowed + ".", width: 110 - indent.count)
            return comment.map { "\(indent)# \($0)" } + ["\(indent)\(name):" + (text == nil ? "" : " " + yaml(text))]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The same as a table in Markdown, for `docs/operations.md`.
    public static func table() -> String {
        let preset = NodeConfiguration()
        let rows = ConfigurationSchema.keys.map { key in
            let text = key.read(preset).map { "`\(yaml($0))`" } ?? "–"
            return "| `\(key.path)` | \(text) | \(key.allowed) | \(key.summary) |"
        }
        return (["| key | default | allowed | meaning |", "| --- | --- | --- | --- |"] + rows).joined(separator: "\n")
            + "\n"
    }

    /// Walks the schema and opens the sections on the way.
    private static func write(
        to lines: inout [String], sectionComments: Bool = false, key render: (ConfigurationKey, String) -> [String]
    ) {
        for section in ConfigurationSchema.sections {
            if sectionComments {
                lines += section.name.isEmpty ? [""] : ["", "# " + section.summary]
            }
            var open: [Substring] = []
            for key in section.keys {
                let parents = Array(key.path.split(separator: ".").dropLast())
                for (depth, parent) in parents.enumerated() where depth >= open.count || open[depth] != parent {
                    lines.append(String(repeating: "  ", count: depth) + parent + ":")
                }
                open = parents
                lines += render(key, String(repeating: "  ", count: parents.count))
            }
        }
    }

    /// A value as YAML: plain where it is safe, else in double quotes.
    private static func yaml(_ text: ConfigurationText?) -> String {
        switch text {
        case nil: ""
        case .scalar(let scalar): quoted(scalar)
        case .list(let items): "[" + items.map(quoted).joined(separator: ", ") + "]"
        }
    }

    private static func quoted(_ text: String) -> String {
        let plain =
            !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || " ._-/:%".contains($0)) }
        let isAmbiguous =
            text.first == "-" || text.first == " " || text.last == " " || text.last == ":" || text.contains(": ")
        if plain, !isAmbiguous, !text.hasPrefix("%") { return text }
        let escaped = text.map { character in
            switch character {
            case "\"", "\\": "\\\(character)"
            case "\n": "\\n"
            case "\t": "\\t"
            default: String(character)
            }
        }
        return "\"" + escaped.joined() + "\""
    }

    private static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.count + word.count + 1 > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? lines : lines + [line]
    }
}
