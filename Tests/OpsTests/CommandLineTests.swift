import ArgumentParser
import FluxCluster
import FluxStore
import Foundation
import NIOCore
import Testing

@testable import FluxOps

@Suite("The command line")
struct CommandLineTests {
    @Test("Every command explains itself and each of its options")
    func help() throws {
        var waiting: [any ParsableCommand.Type] = [FluxCommand.self]
        var seen = 0
        while let command = waiting.popLast() {
            seen += 1
            waiting += command.configuration.subcommands
            #expect(command.configuration.abstract.hasSuffix("."))
            let text = command.helpMessage(columns: 400)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) + [""]
            for (line, next) in zip(lines, lines.dropFirst()) where line.hasPrefix("  --") {
                let parts = line.drop { $0 == " " }.split(separator: "  ", omittingEmptySubsequences: true)
                // What is told of a long option begins on the next line.
                #expect(
                    parts.count == 2 || next.hasPrefix("          "), "\(command): an option without a word: \(line)")
            }
        }
        #expect(seen >= 11)
    }

    @Test("Only a debug build plays a build to come, and only one that there is")
    func rehearsal() throws {
        for (part, dialect) in [(nil, .own), ("next", .next), ("next-but-one", .nextButOne)] as [(String?, WireDialect)]
        {
            let environment = part.map { [RehearsedWire.variable: $0] } ?? [:]
            #expect(try RehearsedWire.dialect(environment, isRehearsalAllowed: true) == dialect)
            guard part != nil else { continue }
            let refusal = #expect(throws: CommandFailure.self) {
                try RehearsedWire.dialect(environment, isRehearsalAllowed: false)
            }
            #expect(refusal?.status == .configuration)
        }
        let unknown = #expect(throws: CommandFailure.self) {
            try RehearsedWire.dialect([RehearsedWire.variable: "2"], isRehearsalAllowed: true)
        }
        #expect(unknown?.status == .configuration)
    }

    @Test("What is asked of a node is checked before it is asked")
    func provision() throws {
        #expect(throws: Never.self) { try FluxCommand.parseAsRoot(["admin", "provision", "--users", "10"]) }
        for wrong in [
            ["--users", "0"], ["--users", "2", "--members", "3"], ["--prefix", "Ä"], ["--channels", "501"],
        ] {
            let error = #expect(throws: (any Error).self) {
                try FluxCommand.parseAsRoot(["admin", "provision"] + wrong)
            }
            let code = try #require(error.map(FluxCommand.exitCode(for:)))
            #expect(code.rawValue == ExitStatus.usage.rawValue)
        }
    }

    @Test("Options become the configuration's keys")
    func options() throws {
        let arguments = [
            "node", "run", "--name", "a", "--listen", "127.0.0.1:1", "--cluster-listen", "127.0.0.1:2",
            "--admin-listen",
            "127.0.0.1:3", "--data-dir", "/d", "--database-url", "postgres://h/x", "--rate-limits", "off", "--set",
            "limits.passivation=5m",
        ]
        let command = try #require(try FluxCommand.parseAsRoot(arguments) as? NodeCommand.Run)
        // The environment stands below the options, and wins where there is none.
        let environment = ["FLUX_LISTEN": "127.0.0.1:9", "FLUX_LOGGING_LEVEL": "debug"]
        let configuration = try command.options.load(environment: environment).configuration
        #expect(configuration.name == "a")
        #expect(configuration.listen.port == 1)
        #expect(configuration.clusterListen.port == 2)
        #expect(configuration.adminListen.port == 3)
        #expect(configuration.dataDirectory == "/d")
        #expect(configuration.database.url?.exposed == "postgres://h/x")
        #expect(configuration.rateLimits.enabled == false)
        #expect(configuration.limits.passivation == .seconds(300))
        #expect(configuration.logging.level == .debug)
    }

    @Test("Every failure of Postgres has its status")
    func statuses() {
        #expect(CommandFailure(.unavailable("x")).status == .unavailable)
        #expect(CommandFailure(.cannotStart("x")).status == .unavailable)
        #expect(CommandFailure(.unsafeSettings(setting: "fsync", value: "off", remedy: "on")).status == .configuration)
        #expect(CommandFailure(.schema("x")).status == .configuration)
        #expect(CommandFailure(.fenced).status == .failure)
        #expect(CommandFailure(.unavailable("gone")).message == "Postgres cannot be reached: gone")
    }

    @Test("Every exit status is in the help and in the manual, and the unit for systemd goes by it")
    func statusesAreTold() throws {
        let help = FluxCommand.helpMessage(columns: 400)
        let root = ConfigurationSchemaTests.root
        let manual = try String(contentsOf: root.appendingPathComponent("docs/operations.md"), encoding: .utf8)
        let rows = manual.split(separator: "\n")
        var hopeless: [String] = []
        for status in FluxOps.ExitStatus.allCases {
            #expect(help.contains("\n  \(status.rawValue) "), "\(status)")
            let row = try #require(rows.first { $0.hasPrefix("| \(status.rawValue) | ") }, "\(status)")
            if row.hasSuffix("| no |") { hopeless.append("\(status.rawValue)") }
        }
        let unit = try String(contentsOf: root.appendingPathComponent("cluster-config/flux.service"), encoding: .utf8)
        #expect(unit.contains("\nRestartPreventExitStatus=\(hopeless.joined(separator: " "))\n"))
        // Not `always`: a node that has left stays away.
        #expect(unit.contains("\nRestart=on-failure\n"))
    }

    @Test("An address that cannot be listened on is told in the system's words")
    func listening() {
        let taken = IOError(errnoCode: EADDRINUSE, reason: "bind(descriptor:ptr:bytes:)")
        let failure = CommandFailure(listeningOn: "listen 0.0.0.0:8080", taken)
        #expect(failure.status == .unavailable)
        #expect(failure.message == "listen 0.0.0.0:8080: cannot be listened on: Address already in use")
    }

    @Test("Every refused join has its own status and says what to do")
    func joinStatuses() {
        let address = Endpoint(host: "10.0.0.1", port: 7400)
        let cases: [(JoinError, FluxOps.ExitStatus, String)] = [
            (.refused(.wrongToken), .wrongToken, "no such token"), (.refused(.usedToken), .usedToken, "used"),
            (.refused(.expiredToken), .expiredToken, "expired"),
            (.refused(.wrongCluster), .wrongCluster, "another cluster"), (.notTheCluster, .wrongCluster, "cluster"),
            (.refused(.nameTaken), .nameTaken, "chat-1"), (.refused(.version(.own)), .versionMismatch, "version"),
            (.refused(.unavailable("Postgres cannot be reached")), .unavailable, "Postgres"),
            (.unreachable("Connection refused"), .noNode, "10.0.0.1:7400"),
        ]
        for (error, status, words) in cases {
            let failure = CommandFailure(error, at: address, name: "chat-1")
            #expect(failure.status == status, "\(error)")
            #expect(failure.message.contains(words), "\(failure.message)")
        }
        #expect(Set(FluxOps.ExitStatus.allCases.map(\.code)).count == FluxOps.ExitStatus.allCases.count)
    }
}
