import FluxStore
import Foundation
import Synchronization

/// Where the test process keeps its Postgres: a directory that names the process, so that what a killed process left
/// behind is recognised.
enum TestDirectory {
    private static let prefix = "flux-test-"
    private static let path = "/tmp/\(prefix)\(ProcessInfo.processInfo.processIdentifier)"

    static var configuration: PrivatePostgres.Configuration {
        var configuration = PrivatePostgres.Configuration(dataDirectory: path)
        // Small, because several test processes run side by side; everything that matters for safety is as it ships.
        configuration.settings = ["shared_buffers": "64MB", "max_connections": "300"]
        return configuration
    }

    private static let running = Mutex<PrivatePostgres?>(nil)

    /// Stops the server and removes its files when this process ends.
    static func removeAtExit(_ server: PrivatePostgres) {
        running.withLock { $0 = server }
        atexit {
            try? TestDirectory.running.withLock { $0 }?.stopNow(.immediate)
            try? FileManager.default.removeItem(atPath: TestDirectory.path)
        }
    }

    /// Stops the servers of test processes that are gone, and removes their files.
    static func removeAbandoned() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? [] where name.hasPrefix(prefix) {
            guard let owner = Int32(name.dropFirst(prefix.count)), kill(owner, 0) == -1, errno == ESRCH else {
                continue
            }
            let directory = "/tmp/\(name)"
            if let text = try? String(contentsOfFile: directory + "/postgres/data/postmaster.pid", encoding: .utf8),
                let process = text.split(separator: "\n").first.flatMap({ Int32($0) }), process > 1
            {
                kill(process, SIGQUIT)
            }
            try? FileManager.default.removeItem(atPath: directory)
        }
    }
}
