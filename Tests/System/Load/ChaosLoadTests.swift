import Foundation
import Testing

extension HeavyTests {
    /// `flux-bench chaos` on a node that is killed, paused and started again while it goes on.
    @Suite(.serialized, .timeLimit(.minutes(10))) struct ChaosLoadTests {
        private static let load = [
            "--rate", "150", "--duration", "120", "--drain", "60", "--marks", "--heartbeat", "3",
        ]

        @Test(arguments: ["gateway", "rest"]) func aNodeThatIsKilledLosesNothing(way: String) async throws {
            try await withNode { node in
                let people = try await node.provision(users: 40, guilds: 10, members: 4, channels: 2, prefix: "chaos")
                let bench = try BenchRun("chaos", people: people, urls: [node.url], Self.load + ["--via", way])
                try await bench.wait(for: "messages a second")
                try await Task.sleep(for: .seconds(1))
                for number in 1...2 {
                    try await bench.mark("kill \(number)")
                    try await node.kill()
                    try await node.restart()
                    try await Task.sleep(for: .seconds(4))
                }
                try await bench.mark("end")
                let report = try await bench.report()
                try #require(report.ending == .exit(0), "\(report.summary)")
                #expect(report.counter("lost_sessions") >= 40, "sessions of a killed node are gone")
                #expect(report.counter("acknowledgements") == report.counter("sends"))
                let recoveries = report.json["recoveries"]?.arrayValue ?? []
                #expect(recoveries.compactMap { $0["mark"]?.stringValue } == ["kill 1", "kill 2"])
                for recovery in recoveries {
                    #expect(recovery["channels"]?.intValue == 20)
                    #expect(recovery["unrecovered"]?.intValue == 0)
                    #expect((recovery["silence_ms"]?["max"]?.doubleValue ?? 0) > 0)
                }
            }
        }

        /// A paused node answers nothing; its clients notice by their heartbeats, come back, and lose nothing.
        @Test func aNodeThatIsPausedLosesNothing() async throws {
            try await withNode { node in
                let people = try await node.provision(users: 20, guilds: 5, members: 4, prefix: "paused")
                let bench = try BenchRun("chaos", people: people, urls: [node.url], Self.load)
                try await bench.wait(for: "messages a second")
                try await Task.sleep(for: .seconds(1))
                try await bench.mark("pause")
                node.pause()
                try await Task.sleep(for: .seconds(8))
                node.proceed()
                try await Task.sleep(for: .seconds(4))
                try await bench.mark("end")
                let report = try await bench.report()
                try #require(report.ending == .exit(0), "\(report.summary)")
                #expect(report.counter("lost_connections") > 0)
                #expect(report.counter("acknowledgements") == report.counter("sends"))
            }
        }

        /// For a rolling restart a failed request is one too many, and so is a session that could not be resumed.
        @Test func whatFailsIsToldWhenNothingMayFail() async throws {
            try await withNode { node in
                let people = try await node.provision(users: 8, guilds: 2, members: 4, prefix: "strict")
                let quiet = try await BenchRun.run(
                    "chaos", people: people, urls: [node.url],
                    ["--rate", "50", "--duration", "2", "--expect-no-failure"])
                #expect(quiet.ending == .exit(0), "\(quiet.summary)")
                let bench = try BenchRun("chaos", people: people, urls: [node.url], Self.load + ["--expect-no-failure"])
                try await bench.wait(for: "messages a second")
                try await node.kill()
                try await node.restart()
                try await Task.sleep(for: .seconds(3))
                try await bench.mark("end")
                let report = try await bench.report()
                #expect(report.ending == .exit(2))
                #expect(
                    Set(report.violations.keys).isSubset(of: ["session-lost", "failed-request"]), "\(report.summary)")
                #expect(report.violations["session-lost"] == 1)
            }
        }
    }
}
