import ArgumentParser
import FluxCore
import Foundation

/// `flux config`: looks at a configuration without starting a node.
struct ConfigurationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Check or print a node's configuration.",
        subcommands: [Check.self, Print.self])

    /// `flux config check`.
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read a configuration and tell everything that is wrong with it.",
            discussion: "Exit status: 0 when a node would start with it, 78 when not. Nothing is started or written.")

        @OptionGroup var options: ConfigurationOptions

        @Flag(help: "One JSON object: {ok, problems: [{place, message}], warnings: []}.")
        var json = false

        func run() throws {
            var problems: [ConfigurationProblem] = []
            var warnings: [String] = []
            do throws(ConfigurationProblems) {
                let loaded = try options.load()
                warnings = loaded.warnings
                problems = Self.unusableFiles(loaded)
            } catch {
                problems = error.problems
            }
            if json {
                print(Self.report(problems, warnings))
            } else {
                for warning in warnings {
                    FileHandle.standardError.write(Data("warning: \(warning)\n".utf8))
                }
                guard problems.isEmpty else { throw ConfigurationProblems(problems: problems) }
                let file = options.file(ProcessInfo.processInfo.environment)
                print("\(file ?? "the default configuration") is fine")
            }
            if !problems.isEmpty { throw ExitCode(ExitStatus.configuration.rawValue) }
        }

        /// What the values name and a node could not use.
        private static func unusableFiles(_ loaded: LoadedConfiguration) -> [ConfigurationProblem] {
            do throws(CommandFailure) {
                _ = try NodeEdge.tls(loaded.configuration.tls)
                return []
            } catch {
                return [ConfigurationProblem(place: loaded.places["tls.cert"] ?? .preset, message: error.message)]
            }
        }

        private static func report(_ problems: [ConfigurationProblem], _ warnings: [String]) -> String {
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("ok")
            writer.bool(problems.isEmpty)
            writer.key("problems")
            writer.beginArray()
            for problem in problems {
                writer.beginObject()
                writer.key("place")
                writer.string(problem.place.description)
                writer.key("message")
                writer.string(problem.message)
                writer.endObject()
            }
            writer.endArray()
            writer.key("warnings")
            writer.beginArray()
            for warning in warnings {
                writer.string(warning)
            }
            writer.endArray()
            writer.endObject()
            return String(decoding: writer.bytes, as: UTF8.self)
        }
    }

    /// `flux config print`.
    struct Print: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the configuration in force, and where each value comes from.",
            discussion: "Secrets are shown as ***.")

        @OptionGroup var options: ConfigurationOptions

        @Flag(help: "Print the reference file instead: every key with its default and its meaning.")
        var reference = false

        @Flag(help: "Print a table in Markdown: every key with its default and its meaning.")
        var table = false

        func run() throws {
            if table {
                print(ConfigurationPrinter.table(), terminator: "")
            } else if reference {
                print(ConfigurationPrinter.reference(), terminator: "")
            } else {
                print(ConfigurationPrinter.effective(try options.load()), terminator: "")
            }
        }
    }
}
