import FluxCore
import Foundation
import Testing

/// `flux-bench chaos` on a cluster while a test does something to it, and the audit at the end.
struct ChaosRun {
    /// What a cluster promises beyond the audit. Where a promise is not kept yet, nothing is asserted about it.
    enum Promise {
        /// Sessions of a node that is drained or stopped are taken up on another one.
        static let sessionsMove = true
        /// A write whose owner dies is made again by the node that was asked, so that its sender sees no failure.
        static let writesAreRepeated = true
    }

    private static let channels = 20
    private static let load = [
        "--rate", "100", "--duration", "600", "--drain", "60", "--marks", "--heartbeat", "3", "--repeats", "200",
    ]

    private let name: String
    private let bench: BenchRun
    private let cluster: ClusterProcess

    /// Makes people and puts the load on: 40 sessions that all send, in 20 channels.
    /// - Parameters:
    ///   - numbers: the nodes over which the sessions are spread; without, all.
    ///   - before: what is done when there are people, just before they connect.
    init(
        _ name: String, on cluster: ClusterProcess, _ arguments: [String] = [], through numbers: [Int]? = nil,
        before: () async throws -> Void = {}
    ) async throws {
        self.name = name
        self.cluster = cluster
        let people = try await cluster[0].provision(
            users: 40, guilds: 10, members: 4, channels: 2, prefix: name.filter { $0.isLetter || $0.isNumber })
        try await before()
        let urls = (numbers ?? Array(cluster.nodes.indices)).map { cluster[$0].url }
        bench = try BenchRun("chaos", people: people, urls: urls, Self.load + arguments)
        try await bench.wait(for: "messages a second")
        try await Task.sleep(for: .seconds(1))
    }

    /// Does something to the nodes, and lets the load go on for a while when it is done.
    func strike(_ mark: String, then pause: Duration = .seconds(2), _ fault: () async throws -> Void) async throws {
        try await bench.mark(mark)
        try await fault()
        try await Task.sleep(for: pause)
    }

    /// Ends the load and reads the audit: every promise is kept, every send acknowledged, every channel came back.
    @discardableResult
    func end() async throws -> BenchRun.Report {
        try await bench.mark("end")
        let report = try await bench.report()
        for recovery in report.json["recoveries"]?.arrayValue ?? [] { print("  \(name): \(Self.line(recovery))") }
        print("  \(name): \(Self.line(report))")
        try #require(report.ending == .exit(0), "\(report.summary)")
        #expect(report.counter("acknowledgements") == report.counter("sends"))
        #expect(report.counter("acknowledgements") > 0)
        let recoveries = report.json["recoveries"]?.arrayValue ?? []
        #expect(recoveries.last?["channels"]?.intValue == Self.channels)
        #expect(recoveries.last?["unrecovered"]?.intValue == 0)
        return report
    }

    private static func line(_ recovery: JSON) -> String {
        func numbers(_ key: String) -> String {
            ["p50", "p99", "max"].map { "\(Int(recovery[key]?[$0]?.doubleValue ?? -1))" }.joined(separator: "/")
        }
        return "\(recovery["mark"]?.stringValue ?? ""): ms p50/p99/max, next acknowledgement "
            + "\(numbers("next_acknowledgement_ms")), silence \(numbers("silence_ms")), of deliveries "
            + "\(numbers("delivery_silence_ms")), of those that came back \(numbers("return_silence_ms"))"
    }

    private static func line(_ report: BenchRun.Report) -> String {
        let counters = ["acknowledgements", "failures", "repeats", "lost_connections", "resumptions", "lost_sessions"]
        return "\(report.ending), "
            + counters.map { "\($0) \(report.counter($0))" }.joined(separator: ", ")
    }
}
