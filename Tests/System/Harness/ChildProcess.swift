import Foundation
import NIOConcurrencyHelpers

/// A program that a test has started: what it wrote, its signals, how it ended.
final class ChildProcess: Sendable {
    /// How a program ended.
    enum Ending: Sendable, Equatable, CustomStringConvertible {
        case exit(Int32)
        case signal(Int32)

        var description: String {
            switch self {
            case .exit(let status): "exit status \(status)"
            case .signal(let number): "signal \(number)"
            }
        }
    }

    /// Its process id.
    let id: pid_t
    private let output: String
    private let errors: String
    private let ending: NIOLockedValueBox<Ending?>

    /// The binary of this build: it lies beside the program that runs the tests.
    static var flux: String { built("flux") }
    /// The load generator of this build.
    static var bench: String { built("flux-bench") }

    private static func built(_ name: String) -> String {
        let test = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: test).deletingLastPathComponent().appendingPathComponent(name).path
    }

    /// Starts a program, which appends what it writes to files of the directory.
    /// - Parameters:
    ///   - name: what the files are called.
    ///   - input: the file that it reads as standard input.
    init(
        _ arguments: [String], of executable: String = ChildProcess.flux, named name: String,
        in directory: SystemDirectory,
        environment: [String: String] = [:], input: String = "/dev/null"
    ) throws {
        output = directory.file(name + ".out")
        errors = directory.file(name + ".log")
        // What the caller's shell says about Flux must not change a test.
        let inherited = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("FLUX_") }
        let process = try Self.spawn(
            [executable] + arguments, environment: inherited.merging(environment) { $1 }, input: input, output: output,
            errors: errors)
        id = process
        let ending = NIOLockedValueBox<Ending?>(nil)
        self.ending = ending
        Thread.detachNewThread {
            var status: Int32 = 0
            while waitpid(process, &status, 0) == -1, errno == EINTR {}
            // The lower seven bits are the signal that ended it, the next eight the exit status.
            let signal = status & 0x7F
            ending.withLockedValue { $0 = signal == 0 ? .exit((status >> 8) & 0xFF) : .signal(signal) }
        }
        try directory.note(process: process)
    }

    /// Starts a program in a process group of its own. Not by Foundation's `Process`: that takes a program to run for as
    /// long as one that it has started, such as the private Postgres of a killed node.
    private static func spawn(
        _ arguments: [String], environment: [String: String], input: String, output: String, errors: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        // A connection of the test that a program inherited would not end when the test ends it. Swift does not import
        // this function of glibc 2.34 and later.
        typealias AddCloseFrom =
            @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np"),
            unsafeBitCast(symbol, to: AddCloseFrom.self)(&actions, 3) == 0
        else { throw HarnessError("glibc 2.34 or newer is needed") }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))

        var strings = arguments.map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for string in strings + variables { free(string) } }
        var process: pid_t = 0
        let failure = posix_spawn(&process, arguments[0], &actions, &attributes, &strings, &variables)
        guard failure == 0 else { throw HarnessError("\(arguments[0]): \(String(cString: strerror(failure)))") }
        return process
    }

    /// How it ended; nil while it runs.
    var ended: Ending? { ending.withLockedValue(\.self) }

    /// What it wrote to standard output, of its predecessors of the same name too.
    var standardOutput: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }

    /// What it wrote to standard error, of its predecessors of the same name too.
    var standardError: String { (try? String(contentsOfFile: errors, encoding: .utf8)) ?? "" }

    /// Sends a signal, if it still runs.
    func signal(_ number: Int32) {
        ending.withLockedValue { ending in
            // Under the lock: once it is known to have ended, its id may be another's.
            if ending == nil { _ = Foundation.kill(id, number) }
        }
    }

    /// Waits for its end.
    @discardableResult
    func waitForEnd(within limit: Duration = .seconds(60)) async throws -> Ending {
        try await eventually("the end of process \(id)", within: limit, every: .milliseconds(5)) { ended }
    }

    /// Kills it and waits for its end.
    func kill() async throws {
        signal(SIGKILL)
        try await waitForEnd()
    }

}

extension ChildProcess {
    /// Runs a program to its end.
    static func run(
        _ arguments: [String], of executable: String = ChildProcess.flux, environment: [String: String] = [:],
        within limit: Duration = .seconds(60)
    ) async throws -> (ending: Ending, output: String, errors: String) {
        let directory = try SystemDirectory()
        defer { directory.remove() }
        let process = try ChildProcess(
            arguments, of: executable, named: "command", in: directory, environment: environment)
        let ending = try await process.waitForEnd(within: limit)
        return (ending, process.standardOutput, process.standardError)
    }
}
