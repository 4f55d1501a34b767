import Foundation
import Testing

/// A rolling upgrade with real processes: this build beside itself in the part of the next one (`FLUX_WIRE`), which speaks one
/// wire version more and puts unknown fields into everything that it says.
@Suite(.serialized, .timeLimit(.minutes(15))) struct UpgradeTests {
    private static let next = ["FLUX_WIRE": "next"]
    private static let nextButOne = ["FLUX_WIRE": "next-but-one"]

    @Test func aClusterIsUpgradedNodeByNodeUnderLoad() async throws {
        try await ClusterProcess.with(2) { cluster in
            // A new node of the next version is let in by one of the present.
            try await cluster.add(environment: Self.next)
            try await cluster.waitUntilWhole()
            #expect(await cluster.ask(0, .GET, "/status")?["wire"]?.stringValue == "version 1")
            #expect(await cluster.ask(2, .GET, "/status")?["wire"]?.stringValue == "versions 1 to 2")
            let run = try await ChaosRun("upgrade", on: cluster)
            for number in [0, 1] {
                try await run.strike("upgrade \(number)", then: .seconds(1)) {
                    #expect(try await cluster[number].stop() == .exit(0))
                    try await cluster.restart(number, environment: Self.next)
                    try await cluster.waitUntilWhole()
                }
            }
            try await run.end()
            for node in cluster.nodes {
                #expect(!node.log.contains("no common wire version") && !node.log.contains("protocol violation"))
            }
        }
    }

    @Test func twoVersionsAheadIsRefusedInSoManyWords() async throws {
        try await ClusterProcess.with(2) { cluster in
            // At the door.
            let directory = try SystemDirectory()
            defer { directory.remove() }
            let join = try await ChildProcess.run(
                [
                    "node", "join", cluster[0].clusterAddress, "--token", try await cluster.token(), "--data-dir",
                    directory.path, "--name", "newcomer", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
                    "--cluster-listen", "127.0.0.1:0",
                ], environment: Self.nextButOne)
            #expect(join.ending == .exit(15))
            let words =
                "no common wire version: the cluster speaks version 1, the node that joins speaks versions 2 to 3"
            #expect(join.errors.contains(words), "\(join.errors)")
            #expect(!FileManager.default.fileExists(atPath: directory.file("identity.json")))
            _ = try await eventually("the node that was asked to say so") {
                cluster[0].log.contains(words) ? true : nil
            }

            // A member that was upgraded by two versions at once.
            #expect(try await cluster[1].stop() == .exit(0))
            try cluster.relaunch(1, environment: Self.nextButOne)
            _ = try await eventually("both to say what each of them speaks", within: .seconds(60)) {
                cluster[0].log.contains("speaks versions 2 to 3, this node speaks version 1; upgrade this node first")
                    && cluster[1].log.contains("speaks version 1, this node speaks versions 2 to 3; upgrade node")
                    ? true : nil
            }
            // The right build is taken in again.
            try await cluster[1].kill()
            try await cluster.restart(1, environment: Self.next)
            try await cluster.waitUntilWhole()
        }
    }
}
