import Foundation

/// Where the programs of an installed Postgres server are.
struct ServerPrograms: Sendable, Equatable {
    /// The directory that holds `initdb`, `pg_ctl` and `postgres`.
    var directory: String

    var initdb: String { directory + "/initdb" }
    var control: String { directory + "/pg_ctl" }

    /// Looks in the places of Debian's packages, newest version first, then where `pg_config` says, then along `PATH`.
    /// `version` is the major version that a data directory was made by; only that one can run it.
    static func find(version: String?) throws(StoreError) -> ServerPrograms {
        let candidates =
            (debianDirectories(version: version) + [configuredDirectory()].compactMap { $0 } + searchPath())
            .map(ServerPrograms.init)
        guard let found = candidates.first(where: { $0.isComplete && $0.fits(version) }) else {
            throw .cannotStart(
                "the programs of a Postgres server\(version.map { " of version \($0)" } ?? "") were not found; "
                    + "install it (Debian, Ubuntu: apt-get install postgresql) or set database.url")
        }
        return found
    }

    private var isComplete: Bool {
        [initdb, control, directory + "/postgres"].allSatisfy(FileManager.default.isExecutableFile(atPath:))
    }

    private func fits(_ version: String?) -> Bool {
        guard let version else { return true }
        guard let outcome = try? Command(control, ["--version"]).run() else { return false }
        // "pg_ctl (PostgreSQL) 15.8 (Debian …)"
        return outcome.output.split(separator: " ").contains { $0 == version || $0.hasPrefix(version + ".") }
    }

    private static func debianDirectories(version: String?) -> [String] {
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return versions.sorted { (Int($0) ?? 0) > (Int($1) ?? 0) }
            .filter { version == nil || $0 == version }
            .map { "\(root)/\($0)/bin" }
    }

    private static func configuredDirectory() -> String? {
        for directory in searchPath() where FileManager.default.isExecutableFile(atPath: directory + "/pg_config") {
            guard let outcome = try? Command(directory + "/pg_config", ["--bindir"]).run(), outcome.succeeded else {
                continue
            }
            return outcome.output
        }
        return nil
    }

    private static func searchPath() -> [String] {
        (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":").map(String.init)
    }
}
