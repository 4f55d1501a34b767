import FluxCore
import Foundation
import Testing

/// `flux-bench` as a process against a real node: each command on a server that is right, and each of its checks on one that
/// is not.
@Suite(.serialized, .timeLimit(.minutes(10))) struct LoadTests {
    private static let quick = ["--warm-up", "0.2", "--duration", "1.5", "--connect-rate", "200", "--loops", "2"]

    @Test func fanout() async throws {
        try await withNode { node in
            for way in [["--via", "gateway"], ["--via", "rest", "--batch"]] { try await fanout(way, node) }
        }
    }

    private func fanout(_ way: [String], _ node: NodeProcess) async throws {
        let people = try await node.provision(users: 30, guilds: 1, members: 30, prefix: "fan")
        let report = try await BenchRun.run(
            "fanout", people: people, urls: [node.url],
            Self.quick + way + ["--rate", "20,60", "--pid", "\(node.process.id):node"])
        try #require(report.ending == .exit(0), "\(report.summary)")
        let steps = try #require(report.json["steps"]?.arrayValue)
        #expect(steps.count == 2)
        for (step, sends) in zip(steps, [30, 90]) {
            #expect(step["counters"]?["acknowledgements"]?.intValue == sends)
            #expect(step["counters"]?["deliveries"]?.intValue == sends * 30)
            #expect(step["behind"]?.intValue == 0)
            #expect((step["delivery_ms"]?["count"]?.intValue ?? 0) == sends * 30)
            #expect((step["server_cpu_us_per_delivery"]?.doubleValue ?? 0) > 0)
        }
        // Both steps and their warm-ups.
        #expect(report.json["audit"]?["messages"]?.intValue == report.counter("acknowledgements"))
        #expect(report.json["audit"]?["repeats_answered"]?.intValue ?? 0 > 0)
        // A body is parsed once for a loop, whoever else is sent it.
        #expect(report.counter("parsed_bodies") < report.counter("deliveries") / 4)
    }

    @Test func rooms() async throws {
        try await withNode { node in
            let people = try await node.provision(users: 30, guilds: 10, members: 3, prefix: "room")
            let report = try await BenchRun.run(
                "rooms", people: people, urls: [node.url], Self.quick + ["--rate", "100", "--rooms", "8"])
            try #require(report.ending == .exit(0), "\(report.summary)")
            #expect(report.json["sessions"]?.intValue == 24)
            #expect(report.json["channels"]?.intValue == 8)
            #expect(report.counter("deliveries") == report.counter("acknowledgements") * 3)
        }
    }

    /// One generator sends, another one only listens: the moment a message was due travels in it.
    @Test func aGeneratorThatListensToAnother() async throws {
        try await withNode { node in
            let people = try await node.provision(users: 12, guilds: 1, members: 12, prefix: "two")
            let listener = try BenchRun(
                "fanout", people: people, urls: [node.url],
                ["--skip", "6", "--senders", "0", "--rate", "1", "--duration", "6", "--warm-up", "0"])
            try await listener.wait(for: "messages a second")
            let sender = try await BenchRun.run(
                "fanout", people: people, urls: [node.url], Self.quick + ["--sessions", "6", "--rate", "20"])
            try #require(sender.ending == .exit(0), "\(sender.summary)")
            let heard = try await listener.report()
            try #require(heard.ending == .exit(0), "\(heard.summary)")
            #expect(heard.counter("deliveries") == sender.counter("acknowledgements") * 6)
            #expect(
                heard.json["steps"]?.arrayValue?.first?["delivery_ms"]?["count"]?.intValue
                    == heard.counter("deliveries"))
        }
    }

    /// What each planted fault has to be called.
    private static let names: [FaultyGateway.Fault: Set<String>] = [
        .drop: ["gap-in-s", "lost"], .double: ["repeat-in-s", "duplicate"], .swap: ["disorder-in-s", "disorder"],
        .alterEvent: ["conflict"], .alterAnswer: ["differs-from-answer"],
    ]

    @Test func plantedFaultsAreSeenAndNamed() async throws {
        try await withNode { node in
            for fault in FaultyGateway.Fault.allCases {
                let people = try await node.provision(users: 12, guilds: 1, members: 12, prefix: "spoiled")
                let gateway = try await FaultyGateway.start(before: node.port)
                gateway.arm(fault, after: fault == .alterAnswer ? 5 : 100)
                // No repeats: they would show the altered answer as a repeat that differs, too.
                let report = try await BenchRun.run(
                    "fanout", people: people, urls: [gateway.url],
                    Self.quick + ["--rate", "40", "--repeats", "0", "--drain", "2"])
                try await gateway.stop()
                #expect(gateway.strikes == 1)
                #expect(report.ending == .exit(2), "\(fault): \(report.summary)")
                var found = Set(report.violations.keys)
                // Which of two contradicting tellings came first, and so is taken for the true one, is chance.
                if fault == .alterEvent { found.remove("false-event") }
                #expect(found == Self.names[fault], "\(fault): \(report.summary)")
            }
            try await seesARepeatThatDiffers(node)
        }
    }

    private func seesARepeatThatDiffers(_ node: NodeProcess) async throws {
        let people = try await node.provision(users: 4, guilds: 1, members: 4, prefix: "differs")
        let gateway = try await FaultyGateway.start(before: node.port)
        gateway.arm(.alterAnswer, after: 5)
        let report = try await BenchRun.run(
            "fanout", people: people, urls: [gateway.url], Self.quick + ["--rate", "40"])
        try await gateway.stop()
        #expect(report.ending == .exit(2))
        #expect(Set(report.violations.keys) == ["differs-from-answer", "repeat-differs"], "\(report.summary)")
    }

    @Test func runsThatCannotBeMade() async throws {
        try await withNode { node in
            let people = try await node.provision(users: 3, guilds: 1, members: 3, prefix: "few")
            let few = try await BenchRun.run("fanout", people: people, urls: [node.url], ["--sessions", "4"])
            #expect(few.ending == .exit(1))
            #expect(few.errors.contains("has 3 people in the file, 4 are wanted"))
            let long = try await BenchRun.run("fanout", people: people, urls: [node.url], ["--duration", "2000"])
            #expect(long.ending == .exit(1))
            #expect(long.errors.contains("the access tokens end in"))
            let secure = try await BenchRun.run("rooms", people: people, urls: ["https://127.0.0.1:1"], [])
            #expect(secure.ending == .exit(1))
            #expect(secure.errors.contains("speaks no TLS"))
            let usage = try await BenchRun.run("chaos", people: people, urls: [node.url], ["--rate", "0"])
            #expect(usage.ending == .exit(64))
        }
    }
}
