import Foundation
import NIOConcurrencyHelpers

/// A Postgres beside the node: `flux postgres run` in a directory of its own, on a port that it keeps.
final class PostgresProcess: Sendable {
    let directory: SystemDirectory
    let port: Int
    private let running: NIOLockedValueBox<ChildProcess>
    /// Each run prints its URL once, behind those of the runs before.
    private let launches = NIOLockedValueBox(1)
    private let known = NIOLockedValueBox<String?>(nil)

    /// Starts one and waits until it accepts connections.
    static func start(in directory: SystemDirectory? = nil) async throws -> PostgresProcess {
        let postgres = try PostgresProcess(in: directory ?? SystemDirectory())
        try await postgres.waitUntilReady()
        return postgres
    }

    private init(in directory: SystemDirectory) throws {
        self.directory = directory
        port = try FreePort.take()
        running = NIOLockedValueBox(try Self.launch(directory, port))
    }

    private static func launch(_ directory: SystemDirectory, _ port: Int) throws -> ChildProcess {
        try ChildProcess(
            ["postgres", "run", "--data-dir", directory.path, "--port", String(port)], named: "postgres", in: directory)
    }

    /// The process that supervises the server.
    var process: ChildProcess { running.withLockedValue(\.self) }
    /// The server itself.
    var postmaster: pid_t? { SystemDirectory.postmaster(in: directory.path) }
    /// Its URL.
    var url: String { known.withLockedValue(\.self) ?? "" }

    /// The same URL through another port of the loopback.
    func url(through other: Int) -> String { url.replacingOccurrences(of: ":\(port)/", with: ":\(other)/") }

    private func waitUntilReady() async throws {
        let (process, count) = (process, launches.withLockedValue(\.self))
        let url = try await eventually("Postgres", within: .seconds(90)) { () throws -> String? in
            if let ended = process.ended {
                throw HarnessError("flux postgres run ended with \(ended): \(process.standardError)")
            }
            let urls = Self.urls(process)
            return urls.count >= count ? urls.last : nil
        }
        known.withLockedValue { $0 = url }
    }

    private static func urls(_ process: ChildProcess) -> [String] {
        process.standardOutput.split(separator: "\n").filter { $0.hasPrefix("postgres://") }.map(String.init)
    }

    /// Kills the server, not the process that supervises it and starts it again.
    func killServer() throws {
        guard let postmaster else { throw HarnessError("no Postgres runs") }
        kill(postmaster, SIGKILL)
    }

    /// Stops server and supervision in good order.
    func stop() async throws {
        process.signal(SIGTERM)
        try await process.waitForEnd()
    }

    /// Starts both again after ``stop()``.
    func restart() async throws {
        let next = try Self.launch(directory, port)
        running.withLockedValue { $0 = next }
        launches.withLockedValue { $0 += 1 }
        try await waitUntilReady()
    }
}

/// Runs a test with a Postgres that is removed afterwards.
func withPostgres<Value>(_ test: (PostgresProcess) async throws -> Value) async throws -> Value {
    let directory = try SystemDirectory()
    defer { directory.remove() }
    return try await test(try await PostgresProcess.start(in: directory))
}
