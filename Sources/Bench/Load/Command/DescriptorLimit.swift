import Foundation

/// How many files, and so connections, this process may have open.
enum DescriptorLimit {
    /// What is kept for everything that is no session: REST connections, the event loops' own, files.
    static let reserve = 300

    /// Raises the soft limit to the hard one and checks that so many connections fit.
    static func require(connections: Int) throws(RunFailure) {
        var limits = rlimit()
        guard getrlimit(limitKind, &limits) == 0 else { throw RunFailure("the limit of open files cannot be read") }
        if limits.rlim_cur < limits.rlim_max {
            limits.rlim_cur = limits.rlim_max
            // Where that is refused, the limit in force counts.
            if setrlimit(limitKind, &limits) != 0 { getrlimit(limitKind, &limits) }
        }
        let allowed = Int(clamping: limits.rlim_cur)
        guard connections + reserve <= allowed else {
            throw RunFailure(
                """
                \(connections) connections need \(connections + reserve) open files, and a process may have \(allowed) here. \
                Share the sessions out over several processes: --sessions \(max(1, allowed - reserve)) in the first, and \
                --skip \(max(1, allowed - reserve)) --senders 0 in the next.
                """)
        }
    }

    #if canImport(Glibc)
        private static let limitKind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let limitKind = RLIMIT_NOFILE
    #endif
}
