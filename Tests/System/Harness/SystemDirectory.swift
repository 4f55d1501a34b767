import Foundation
import NIOConcurrencyHelpers

/// A directory below /tmp for the files of one process under test, removed with whatever still runs in it.
///
/// Its name holds the id of the test process, and a file in it the ids of what was started: when a test process was
/// killed, the next one ends what it left behind.
final class SystemDirectory: Sendable {
    private static let prefix = "flux-system-"
    private static let processFile = "processes"
    private static let counter = Counter()

    /// Where it is. Short, because a Unix socket's path has to fit in.
    let path: String

    init() throws {
        let number = Self.counter.next()
        if number == 0 {
            Self.removeAbandoned()
            atexit { SystemDirectory.removeAll(of: getpid()) }
        }
        path = "/tmp/\(Self.prefix)\(getpid())-\(number)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// A path inside.
    func file(_ name: String) -> String { path + "/" + name }

    /// Remembers a process, so that it is ended with the directory.
    func note(process: pid_t) throws {
        let file = file(Self.processFile)
        let known = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        try (known + "\(process)\n").write(toFile: file, atomically: true, encoding: .utf8)
    }

    /// Removes everything but what the test itself keeps here: the ids of processes, and what they wrote.
    func empty() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: path)
        where name != Self.processFile && !name.hasSuffix(".out") && !name.hasSuffix(".log") {
            try FileManager.default.removeItem(atPath: file(name))
        }
    }

    /// Ends what runs here and removes the files.
    func remove() { Self.remove(path) }

    // MARK: Machinery

    private static func removeAll(of owner: pid_t) {
        for (path, process) in directories() where process == owner { remove(path) }
    }

    private static func removeAbandoned() {
        for (path, owner) in directories() where kill(owner, 0) == -1 && errno == ESRCH { remove(path) }
    }

    private static func directories() -> [(path: String, owner: pid_t)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? []
        return names.compactMap { name in
            guard name.hasPrefix(prefix), let number = name.dropFirst(prefix.count).split(separator: "-").first,
                let owner = pid_t(number)
            else { return nil }
            return ("/tmp/" + name, owner)
        }
    }

    private static func remove(_ path: String) {
        let noted = (try? String(contentsOfFile: path + "/" + processFile, encoding: .utf8)) ?? ""
        let processes = noted.split(separator: "\n").compactMap { pid_t($0) }
        for process in processes where runs(process, in: path) { kill(process, SIGKILL) }
        endPostgres(in: path)
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Ends the private Postgres, if one runs, and waits for its end: it writes until then.
    private static func endPostgres(in path: String) {
        guard let postmaster = postmaster(in: path), runs(postmaster, in: path) else { return }
        kill(postmaster, SIGQUIT)
        for _ in 0..<500 where runs(postmaster, in: path) { usleep(10_000) }
        if runs(postmaster, in: path) { kill(postmaster, SIGKILL) }
    }

    /// The process of the private Postgres whose files are here.
    static func postmaster(in path: String) -> pid_t? {
        guard let text = try? String(contentsOfFile: path + "/postgres/data/postmaster.pid", encoding: .utf8),
            let process = text.split(separator: "\n").first.flatMap({ pid_t($0) }), process > 1
        else { return nil }
        return process
    }

    /// Whether the process runs and has to do with the directory, so that an id that was given anew is left alone.
    private static func runs(_ process: pid_t, in path: String) -> Bool {
        guard let arguments = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
        return String(decoding: arguments, as: UTF8.self).contains(path)
    }
}

/// Numbers from 0, each given once.
private final class Counter: Sendable {
    private let value = NIOLockedValueBox(0)

    func next() -> Int {
        value.withLockedValue { value in
            defer { value += 1 }
            return value
        }
    }
}
