import FluxStore
import Foundation
import NIOConcurrencyHelpers

/// Where the test process keeps its Postgres: a directory that names the process, so that what a killed process left
/// behind is recognised.
enum TestDirectory {
    private static let prefix = "flux-test-"
    private static let path = "/tmp/\(prefix)\(ProcessInfo.processInfo.processIdentifier)"

    static var configuration: PrivatePostgres.Configuration {
        var configuration = PrivatePostgres.Configuration(dataDirectory: path)
        // Small, because several test processes run side by side; everything that matters for safety is as it ships.
        configuration.settings = ["shared_buffers": "64MB", "max_connections": "800"]
        return configuration
    }

    /// Of a server that belongs to one test.
    static func ownConfiguration(_ number: Int, settings: [String: String]) -> PrivatePostgres.Configuration {
        var configuration = configuration
        configuration.dataDirectory += "/own-\(number)"
        configuration.settings["shared_buffers"] = "16MB"
        configuration.settings["max_connections"] = "50"
        configuration.settings.merge(settings) { $1 }
        return configuration
    }

    private static let running = NIOLockedValueBox<[PrivatePostgres]>([])

    /// Stops the server and removes the files of all when this process ends.
    static func removeAtExit(_ server: PrivatePostgres) {
        let isFirst = running.withLockedValue { running in
            running.append(server)
            return running.count == 1
        }
        guard isFirst else { return }
        atexit {
            for server in TestDirectory.running.withLockedValue({ $0 }) { try? server.stopNow(.immediate) }
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
            let own = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            for place in [directory] + own.map({ "\(directory)/\($0)" }) { endServer(in: place) }
            try? FileManager.default.removeItem(atPath: directory)
        }
    }

    private static func endServer(in directory: String) {
        guard let text = try? String(contentsOfFile: directory + "/postgres/data/postmaster.pid", encoding: .utf8),
            let process = text.split(separator: "\n").first.flatMap({ Int32($0) }), process > 1
        else { return }
        kill(process, SIGQUIT)
    }
}
