import CPostgres

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Processes of a private server that have lost their parent.
///
/// `pg_ctl` leaves the server to process 1. Where that waits for nobody (a container whose process 1 is some program, the
/// node itself for one), a server that was killed stays in the process table, Postgres takes its lock file for that of a
/// living server, and refuses to start again for ever. So a node takes the server and what the server leaves behind as
/// its own children, and waits for those that have ended.
enum Orphans {
    /// How many are waited for in one call.
    private static let bound = 1_000

    /// From now on descendants that lose their parent become children of this process. Without the means (not Linux)
    /// nothing changes, and process 1 has them as before.
    static func adopt() {
        #if os(Linux)
            _ = flux_adopt_orphans()
        #endif
    }

    /// Waits for every child that is a Postgres process and has ended. Others are left to who started them: the programs
    /// that this module runs itself have other names.
    static func reap() {
        #if os(Linux)
            for _ in 0..<bound {
                var found = siginfo_t()
                // Looks without waiting for it.
                guard waitid(P_ALL, 0, &found, WEXITED | WNOHANG | WNOWAIT) == 0 else { return }
                let process = found._sifields._sigchld.si_pid
                guard process > 0, isPostgres(process), waitpid(process, nil, WNOHANG) == process else { return }
            }
        #endif
    }

    private static func isPostgres(_ process: pid_t) -> Bool {
        (try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8))?.trimmed == "postgres"
    }
}
