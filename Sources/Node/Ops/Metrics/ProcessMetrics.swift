import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the operating system knows of this process, read at each scrape from `/proc` (nothing where there is none).
struct ProcessMetrics: Sendable {
    private let startSeconds = Date().timeIntervalSince1970

    /// Writes the usual `process_…` families.
    func collect(into text: inout PrometheusText) {
        if let pages = Self.fields(of: "/proc/self/statm").dropFirst().first.flatMap({ Double($0) }) {
            text.single(MetricCatalog.residentMemory, pages * Double(sysconf(Int32(_SC_PAGESIZE))))
        }
        text.single(MetricCatalog.processorSeconds, Self.processorSeconds())
        if let files = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            text.single(MetricCatalog.openFiles, Double(files.count))
        }
        if let threads = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task") {
            text.single(MetricCatalog.threads, Double(threads.count))
        }
        var limit = rlimit()
        if getrlimit(Self.fileLimit, &limit) == 0 {
            text.single(MetricCatalog.fileLimit, Double(limit.rlim_cur))
        }
        text.single(MetricCatalog.startTime, startSeconds)
    }

    /// Bytes of RAM of the machine, or of its control group where that has less.
    static func memoryOfMachine() -> Int {
        let machine = Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))
        let group = fields(of: "/sys/fs/cgroup/memory.max").first.flatMap { Int($0) }
        return min(machine, group ?? machine)
    }

    private static func processorSeconds() -> Double {
        var usage = rusage()
        getrusage(Self.ownUsage, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static func fields(of path: String) -> [Substring] {
        let text = try? String(contentsOfFile: path, encoding: .utf8)
        return text?.split(whereSeparator: \.isWhitespace) ?? []
    }

    #if canImport(Glibc)
        private static let ownUsage = RUSAGE_SELF.rawValue
        private static let fileLimit = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let ownUsage = RUSAGE_SELF
        private static let fileLimit = RLIMIT_NOFILE
    #endif
}
