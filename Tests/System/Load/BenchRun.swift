import FluxCore
import Foundation

/// One run of `flux-bench` as a process, and what it says.
final class BenchRun: Sendable {
    /// What a finished run printed with `--json`.
    struct Report: Sendable {
        let ending: ChildProcess.Ending
        let json: JSON
        let errors: String

        /// By their names, as often as each was seen.
        var violations: [String: Int] {
            var counts: [String: Int] = [:]
            for member in json["violations"]?.objectValue?.members ?? [] { counts[member.key] = member.value.intValue }
            return counts
        }

        /// Everything that is needed to understand a failure.
        var summary: String {
            let texts = json["violation_texts"]?.arrayValue?.compactMap(\.stringValue) ?? []
            return "\(ending)\n\(texts.prefix(20).joined(separator: "\n"))\n\(errors.suffix(2_000))"
        }

        func counter(_ name: String) -> Int { json["counters"]?[name]?.intValue ?? -1 }
    }

    private let directory: SystemDirectory
    private let process: ChildProcess
    private let marks: FileHandle

    /// Starts one. - Parameter people: what `flux admin provision` wrote.
    init(_ command: String, people: String, urls: [String], _ arguments: [String]) throws {
        directory = try SystemDirectory()
        let file = directory.file("people.jsonl")
        try people.write(toFile: file, atomically: true, encoding: .utf8)
        let input = directory.file("marks")
        guard mkfifo(input, 0o600) == 0 else { throw HarnessError("no pipe for marks") }
        // For reading as well, so that opening does not wait for the other end.
        let descriptor = open(input, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { throw HarnessError("the pipe for marks cannot be opened") }
        marks = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        process = try ChildProcess(
            [command, "--people", file, "--json"] + urls.flatMap { ["--url", $0] } + arguments,
            of: ChildProcess.bench, named: "bench", in: directory, input: input)
    }

    /// What it has said so far about how it goes on.
    var notices: String { process.standardError }

    /// Waits until it has said something.
    func wait(for notice: String) async throws {
        _ = try await eventually("flux-bench to say \"\(notice)\"", within: .seconds(120)) { () throws -> Bool? in
            if notices.contains(notice) { return true }
            if let ended = process.ended { throw HarnessError("flux-bench ended with \(ended): \(notices)") }
            return nil
        }
    }

    /// Says what is being done to the nodes, and waits until it is noted.
    func mark(_ name: String) async throws {
        try marks.write(contentsOf: Data((name + "\n").utf8))
        if name != "end" { try await wait(for: "mark: \(name)") }
    }

    /// Waits for its end.
    func report(within limit: Duration = .seconds(240)) async throws -> Report {
        let ending: ChildProcess.Ending
        do {
            ending = try await process.waitForEnd(within: limit)
        } catch {
            process.signal(SIGKILL)
            throw HarnessError("\(error)\n\(notices)")
        }
        let json = (try? JSON.parse(Array(process.standardOutput.utf8))) ?? .null
        return Report(ending: ending, json: json, errors: notices)
    }

    deinit {
        process.signal(SIGKILL)
        directory.remove()
    }

    /// Runs one to its end.
    static func run(
        _ command: String, people: String, urls: [String], _ arguments: [String]
    ) async throws -> Report {
        try await BenchRun(command, people: people, urls: urls, arguments).report()
    }
}

extension NodeProcess {
    /// Makes people, and returns what `flux admin provision` says about them.
    func provision(users: Int, guilds: Int, members: Int, channels: Int = 1, prefix: String) async throws -> String {
        let command = try await ChildProcess.run([
            "admin", "provision", "--admin", adminURL, "--users", String(users), "--guilds", String(guilds),
            "--members", String(members), "--channels", String(channels), "--prefix", prefix,
        ])
        guard command.ending == .exit(0) else {
            throw HarnessError("provision: \(command.ending), \(command.errors)")
        }
        return command.output
    }
}
