import ArgumentParser
import Foundation

/// The `flux` command.
public struct FluxCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "flux",
        abstract: "A chat platform for communities that host it themselves.",
        discussion: """
            A node serves people and bots on one port (default http://127.0.0.1:8080). With no database configured it \
            runs a private Postgres in its data directory, so `flux node run` is all that a first try needs.

            Exit status:
            \(statuses)
            """,
        version: FluxVersion.text,
        subcommands: [
            NodeCommand.self, ConfigurationCommand.self, PostgresCommand.self, AdminCommand.self, MetricsCommand.self,
        ])

    /// One line a status.
    private static var statuses: String {
        TextTable.lines(ExitStatus.allCases.map { ["", "\($0.rawValue)", $0.meaning] }).joined(separator: "\n")
    }

    /// For the argument parser.
    public init() {}

    /// Parses the process's arguments, runs the command and ends the process with its ``ExitStatus``.
    public static func runProcess() async -> Never {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            exit(withError: nil)
        } catch let failure as CommandFailure {
            FileHandle.standardError.write(Data("flux: \(failure.message)\n".utf8))
            Foundation.exit(failure.status.rawValue)
        } catch let problems as ConfigurationProblems {
            FileHandle.standardError.write(Data((problems.description + "\n").utf8))
            Foundation.exit(ExitStatus.configuration.rawValue)
        } catch {
            exit(withError: error)
        }
    }
}

/// The version of this build.
public enum FluxVersion {
    /// As `flux --version` prints it.
    public static let text = "0.1.0"
}
