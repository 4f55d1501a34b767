import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a running server writes into `postmaster.pid` in its data directory.
struct PostmasterFile: Sendable, Equatable {
    var process: pid_t
    var port: Int
    var socketDirectory: String
    /// Whether it accepts connections.
    var isReady: Bool

    /// Reads the file. Nil when there is none, or it is not whole yet.
    init?(dataDirectory: String) {
        guard let text = try? String(contentsOfFile: dataDirectory + "/postmaster.pid", encoding: .utf8) else {
            return nil
        }
        self.init(text: text)
    }

    /// Lines: process, data directory, start time, port, socket directory, listen address, shared memory key, status.
    init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        guard lines.count >= 5, let process = pid_t(lines[0]), process > 1, let port = Int(lines[3]) else { return nil }
        self.process = process
        self.port = port
        socketDirectory = lines[4]
        isReady = lines.count >= 8 && lines[7] == "ready"
    }

    /// Whether the process still runs. One that has ended and was not yet waited for does not.
    var isAlive: Bool {
        guard kill(process, 0) == 0 || errno == EPERM else { return false }
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let afterName = stat.lastIndex(of: ")")
        else { return true }
        return stat[afterName...].dropFirst(2).first != "Z"
    }
}
