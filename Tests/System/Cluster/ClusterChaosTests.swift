import FluxFuzzing
import Foundation
import Testing

extension HeavyTests {
    /// Real nodes that are killed, stopped and cut off under load. After each: nothing acknowledged is lost, nothing is there
    /// twice, all saw one order, no client is left with anything false, no session has a gap.
    ///
    /// How long everything took is printed, and never asserted: this machine may be busy with anything.
    @Suite(.serialized, .timeLimit(.minutes(20))) struct ClusterChaosTests {
        @Test func oneOfThreeIsKilled() async throws {
            try await ClusterProcess.with(3) { cluster in
                let run = try await ChaosRun("kill one of three", on: cluster)
                try await run.strike("kill 2") {
                    try await cluster[2].kill()
                    try await cluster.waitUntilWhole([0, 1])
                }
                try await run.strike("back 2") {
                    try await cluster.restart(2)
                    try await cluster.waitUntilWhole()
                }
                // The one that everybody joined by is no other than the rest.
                try await run.strike("kill 0") {
                    try await cluster[0].kill()
                    try await cluster.waitUntilWhole([1, 2])
                }
                try await run.end()
            }
        }

        @Test func aDeadNodeIsRemovedAndANewOneJoins() async throws {
            try await ClusterProcess.with(3) { cluster in
                let run = try await ChaosRun("replace", on: cluster)
                // Also the one that made the cluster.
                for number in [1, 0] {
                    try await run.strike("replace \(number)") {
                        try await cluster[number].kill()
                        try await cluster.replace(number)
                        try await cluster.waitUntilBack(number)
                    }
                }
                try await run.end()
            }
        }

        @Test func twoOfFiveAreKilled() async throws {
            try await ClusterProcess.with(5) { cluster in
                let run = try await ChaosRun("kill two of five", on: cluster)
                try await run.strike("kill 3 and 4") {
                    try await cluster[3].kill()
                    try await cluster[4].kill()
                    try await cluster.waitUntilWhole([0, 1, 2])
                }
                try await run.end()
            }
        }

        /// Two of five can outvote nobody: they get the slots as the heartbeats of the others run out.
        @Test func threeOfFiveAreKilled() async throws {
            try await ClusterProcess.with(5) { cluster in
                let run = try await ChaosRun("kill three of five", on: cluster)
                try await run.strike("kill 2, 3 and 4") {
                    for number in 2...4 { try await cluster[number].kill() }
                    try await cluster.waitUntilWhole([0, 1])
                }
                try await run.end()
            }
        }

        @Test func aNodeIsPaused() async throws {
            try await ClusterProcess.with(3) { cluster in
                let run = try await ChaosRun("pause", on: cluster)
                try await run.strike("pause 1 s") {
                    cluster[1].pause()
                    try await Task.sleep(for: .seconds(1))
                    cluster[1].proceed()
                    try await cluster.waitUntilWhole()
                }
                try await run.strike("pause 10 s") {
                    cluster[1].pause()
                    try await Task.sleep(for: .seconds(10))
                    try await cluster.waitUntilWhole([0, 2])
                    cluster[1].proceed()
                    try await cluster.waitUntilBack(1)
                }
                try await run.end()
            }
        }

        @Test func aNodeIsDrainedAndTakesPartAgain() async throws {
            try await ClusterProcess.with(3) { cluster in
                let run = try await ChaosRun("drain", on: cluster, ["--expect-no-failure"])
                for number in [1, 0] {
                    try await run.strike("drain \(number)") { try await cluster.drain(number) }
                    try await run.strike("undrain \(number)") {
                        try await cluster.undrain(number)
                        try await cluster.waitUntilBack(number)
                    }
                }
                let report = try await run.end()
                #expect(report.counter("lost_sessions") == 0)
            }
        }

        @Test func oneOfThreeIsCutOffFromTheOthers() async throws {
            try await ClusterProcess.with(3) { cluster in
                let guest = try await Population.make(on: cluster[0], people: 1, prefix: "guest").people[0]
                let client = cluster[2].gateway(guest)
                _ = try await client.identify()
                let run = try await ChaosRun("partition", on: cluster)
                try await run.strike("cut 2 | 0 1, Postgres with both") {
                    cluster.isolate(2)
                    try await cluster.waitUntilWhole([0, 1])
                    try await cluster.waitUntilUnready(2)
                    // The minority sends its clients to where they are served.
                    _ = try await eventually("the client to be sent away") {
                        client.reconnectRequests > 0 || !client.isConnected ? true : nil
                    }
                }
                try await run.strike("mend") {
                    cluster.network.mend()
                    try await cluster.waitUntilBack(2)
                }
                try await run.strike("cut 2 | 0 1, Postgres with 0 1") {
                    cluster.isolate(2)
                    cluster.network.cut(.node(2), .postgres)
                    try await cluster.waitUntilWhole([0, 1])
                    try await cluster.waitUntilUnready(2)
                }
                try await run.strike("mend") {
                    cluster.network.mend()
                    try await cluster.waitUntilBack(2)
                }
                try await run.end()
            }
        }

        /// What the larger side decides by votes it cannot write down.
        @Test func onlyTheSmallerSideReachesPostgres() async throws {
            try await ClusterProcess.with(3) { cluster in
                let run = try await ChaosRun("small side", on: cluster)
                try await run.strike("cut 2 | 0 1, Postgres with 2") {
                    cluster.isolate(2)
                    for number in [0, 1] { cluster.network.cut(.node(number), .postgres) }
                    try await cluster.waitUntilWhole([2])
                    for number in [0, 1] { try await cluster.waitUntilUnready(number) }
                }
                try await run.strike("mend") {
                    cluster.network.mend()
                    try await cluster.waitUntilBack(0, 1)
                }
                try await run.end()
            }
        }

        @Test func linksFailInPart() async throws {
            try await ClusterProcess.with(3) { cluster in
                let run = try await ChaosRun("partial", on: cluster)
                try await run.strike("cut 0 - 1") {
                    cluster.network.cut(.node(0), .node(1))
                    _ = try await cluster.waitUntilOneIsUnready(of: [0, 1])
                }
                try await run.strike("mend") {
                    cluster.network.mend()
                    try await cluster.waitUntilBack(0, 1)
                }
                try await run.strike("cut 0 > 2") {
                    cluster.network.cut(from: .node(0), to: .node(2))
                    _ = try await cluster.waitUntilOneIsUnready(of: [0, 2])
                }
                try await run.strike("mend") {
                    cluster.network.mend()
                    try await cluster.waitUntilBack(0, 2)
                }
                try await run.strike("cut 1 - Postgres") {
                    cluster.network.cut(.node(1), .postgres)
                    try await cluster.waitUntilWhole([0, 2])
                }
                try await run.strike("mend") {
                    cluster.network.mend()
                    try await cluster.waitUntilBack(1)
                }
                try await run.end()
            }
        }

        /// Whoever connects while guilds have no owner is shown them when they have.
        @Test func sessionsOpenWhileANodeIsCutOff() async throws {
            try await ClusterProcess.with(3) { cluster in
                let run = try await ChaosRun("opening", on: cluster, through: [0, 1]) { cluster.isolate(2) }
                try await run.strike("mend") {
                    cluster.network.mend()
                    try await cluster.waitUntilBack(2)
                }
                try await run.end()
            }
        }

        @Test func postgresIsAway() async throws {
            try await ClusterProcess.with(3) { cluster in
                let run = try await ChaosRun("postgres", on: cluster)
                try await run.strike("stop Postgres") {
                    try await cluster.postgres.stop()
                    try await Task.sleep(for: .seconds(10))
                    try await cluster.postgres.restart()
                    try await cluster.waitUntilWhole()
                }
                try await run.end()
            }
        }

        @Test func allAreRestartedOneByOne() async throws {
            try await ClusterProcess.with(3) { cluster in
                let mayFail = !(ChaosRun.Promise.sessionsMove && ChaosRun.Promise.writesAreRepeated)
                let run = try await ChaosRun("rolling", on: cluster, mayFail ? [] : ["--expect-no-failure"])
                for number in cluster.nodes.indices {
                    try await run.strike("restart \(number)", then: .seconds(1)) {
                        #expect(try await cluster[number].stop() == .exit(0))
                        try await cluster.restart(number)
                        try await cluster.waitUntilWhole()
                    }
                }
                let report = try await run.end()
                guard ChaosRun.Promise.sessionsMove else { return }
                // Each node's sessions were taken up elsewhere: none began anew.
                #expect(report.counter("lost_sessions") == 0)
                #expect(report.counter("resumptions") > 0)
            }
        }

        /// `FLUX_SECONDS` of faults drawn from a seed, on five nodes; at most two of them are away at a time.
        @Test func randomFaults() async throws {
            let seed = Rounds.seed()
            print("randomFaults: FLUX_SEED=\(seed)")
            var generator = SeededGenerator(seed: seed)
            try await ClusterProcess.with(5) { cluster in
                let run = try await ChaosRun("random", on: cluster)
                let end = ContinuousClock.now + .seconds(Rounds.seconds(inCI: 20))
                repeat {
                    let fault = RandomFault.draw(nodes: cluster.nodes.count, using: &generator)
                    try await run.strike("\(fault)", then: .seconds(1)) { try await fault.strike(cluster) }
                } while ContinuousClock.now < end
                try await run.end()
            }
        }
    }
}
