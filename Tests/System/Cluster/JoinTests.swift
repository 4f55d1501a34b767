import FluxCore
import Foundation
import Testing

/// A node joins with one command and one token; everything that stands against it is said in so many words, by a status of
/// its own, and changes nothing.
@Suite(.serialized, .timeLimit(.minutes(5))) struct JoinTests {
    /// Runs a test with a Postgres and the first node of a cluster.
    private func withCluster(_ test: (PostgresProcess, NodeProcess) async throws -> Void) async throws {
        try await withPostgres { postgres in
            try await withNode(.init(databaseURL: postgres.url)) { node in try await test(postgres, node) }
        }
    }

    /// Runs `flux node` with the node's admin port.
    private func command(_ arguments: [String], on node: NodeProcess) async throws -> Result {
        try await Result(ChildProcess.run(["node"] + arguments + ["--admin", node.adminURL]))
    }

    private struct Result {
        let status: ChildProcess.Ending
        let output: String
        let errors: String

        init(_ run: (ending: ChildProcess.Ending, output: String, errors: String)) {
            (status, output, errors) = run
        }

        var lastLine: String { output.split(separator: "\n").last.map(String.init) ?? "" }
        var json: JSON? { try? JSON.parse(Array(output.utf8)) }
    }

    private func token(on node: NodeProcess, _ arguments: [String] = []) async throws -> String {
        let made = try await command(["token", "create"] + arguments, on: node)
        #expect(made.status == .exit(0), "\(made.errors)")
        #expect(made.lastLine.hasPrefix("flux1_"))
        return made.lastLine
    }

    /// The cluster's nodes by name, as `flux node ls --json` tells them.
    private func nodes(on node: NodeProcess) async throws -> [String: JSON] {
        let listed = try await command(["ls", "--json"], on: node)
        #expect(listed.status == .exit(0), "\(listed.errors)")
        let nodes = listed.json?["nodes"]?.arrayValue ?? []
        return Dictionary(uniqueKeysWithValues: nodes.map { ($0["name"]?.stringValue ?? "", $0) })
    }

    /// Runs a join that is to be refused, in a directory that must hold no identity afterwards.
    private func refusedJoin(
        at address: String, token: String, name: String = "newcomer", database: String? = nil
    ) async throws -> Result {
        let directory = try SystemDirectory()
        defer { directory.remove() }
        let arguments = [
            "node", "join", address, "--token", token, "--data-dir", directory.path, "--name", name, "--listen",
            "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--cluster-listen", "127.0.0.1:0",
        ]
        let result = try await Result(ChildProcess.run(arguments))
        #expect(!FileManager.default.fileExists(atPath: directory.file("identity.json")))
        return result
    }

    @Test func aNodeJoinsRestartsWithoutATokenAndIsRemovedForGood() async throws {
        try await withCluster { _, first in
            let token = try await token(on: first, ["--ttl", "10m"])
            // The database's URL is told to nobody but the node, by the cluster.
            try await withNode(.init(joining: (first, token))) { second in
                let both = try await nodes(on: first)
                #expect(Set(both.keys) == [first.name, second.name])
                #expect(both[second.name]?["alive"]?.boolValue == true)
                #expect(both[second.name]?["address"]?.stringValue == second.clusterAddress)
                #expect(try await nodes(on: second).keys == both.keys)
                let listed = try await command(["token", "ls"], on: second)
                #expect(listed.output.contains("used"))
                #expect(listed.output.contains(second.name))
                #expect(!listed.output.contains(token))

                // Alive, it cannot be removed.
                let alive = try await command(["remove", second.name], on: first)
                #expect(alive.status == .exit(1))
                #expect(alive.errors.contains("node \(second.name) lives"), "\(alive.errors)")

                // A restart, and the same command once more, which is now a restart.
                #expect(try await second.stop() == .exit(0))
                try await second.restart()
                #expect(try await second.stop() == .exit(0))
                let identity = try Data(contentsOf: URL(fileURLWithPath: second.directory.file("identity.json")))
                let again = try ChildProcess(
                    [
                        "node", "join", first.clusterAddress, "--token", token, "--data-dir", second.directory.path,
                        "--listen", "127.0.0.1:\(second.port)", "--admin-listen", "127.0.0.1:\(second.adminPort)",
                        "--cluster-listen", second.clusterAddress,
                    ], named: "again", in: second.directory)
                _ = try await eventually("the node to be ready") {
                    try await second.reasonsAgainstReadiness() == [] ? true : nil
                }
                #expect(
                    try Data(contentsOf: URL(fileURLWithPath: second.directory.file("identity.json"))) == identity)

                // Dead, it is removed once and for all; asking again is no error.
                try await again.kill()
                for removed in ["removed", "was removed before"] {
                    let answer = try await eventually("the node to be dead") { () async throws -> Result? in
                        let answer = try await command(["remove", second.name], on: first)
                        return answer.errors.contains("lives") ? nil : answer
                    }
                    #expect(answer.status == .exit(0), "\(answer.errors)")
                    #expect(answer.lastLine == removed)
                }
                #expect(try await nodes(on: first).keys.sorted() == [first.name])
                try second.relaunch()
                #expect(try await second.process.waitForEnd() == .exit(18))
                #expect(second.log.contains("node \(second.name) was removed from cluster"))
                let unknown = try await command(["remove", "nobody"], on: first)
                #expect(unknown.status == .exit(1))
                #expect(unknown.errors.contains("no node of the cluster is called nobody"))
            }
        }
    }

    @Test func everyRefusedTokenSaysWhy() async throws {
        try await withCluster { _, first in
            let used = try await token(on: first)
            try await withNode(.init(joining: (first, used))) { second in
                let repeated = try await refusedJoin(at: first.clusterAddress, token: used)
                #expect(repeated.status == .exit(11))
                #expect(repeated.errors.contains("the token was used"), "\(repeated.errors)")

                // Every member lets nodes in.
                let good = try await token(on: second)
                let taken = try await refusedJoin(at: second.clusterAddress, token: good, name: first.name)
                #expect(taken.status == .exit(14))
                #expect(taken.errors.contains("a node of the cluster is called \(first.name)"), "\(taken.errors)")

                let revoked = try await command(["token", "revoke", good], on: first)
                #expect(revoked.status == .exit(0), "\(revoked.errors)")
                #expect(revoked.lastLine == "revoked")
                #expect(try await command(["token", "revoke", good], on: first).status == .exit(0))
                let unknown = try await refusedJoin(at: first.clusterAddress, token: good)
                #expect(unknown.status == .exit(10))
                #expect(unknown.errors.contains("the cluster knows no such token"), "\(unknown.errors)")
            }
            let garbled = try await refusedJoin(at: first.clusterAddress, token: String(used.dropLast()))
            #expect(garbled.status == .exit(10))
            #expect(garbled.errors.contains("this is no join token"), "\(garbled.errors)")

            let short = try await token(on: first, ["--ttl", "1s"])
            _ = try await eventually("the token to expire") { () async throws -> Bool? in
                let tokens = try await command(["token", "ls", "--json"], on: first).json?["tokens"]?.arrayValue
                return tokens?.contains { $0["state"]?.stringValue == "expired" } == true ? true : nil
            }
            let expired = try await refusedJoin(at: first.clusterAddress, token: short)
            #expect(expired.status == .exit(12))
            #expect(expired.errors.contains("the token has expired"), "\(expired.errors)")
        }
    }

    @Test func whereNoClusterOrAnotherOneAnswersNothingIsJoined() async throws {
        try await withCluster { postgres, first in
            let token = try await token(on: first)
            let nobody = try await refusedJoin(at: "127.0.0.1:\(try FreePort.take())", token: token)
            #expect(nobody.status == .exit(17))
            #expect(nobody.errors.contains("Connection refused"), "\(nobody.errors)")
            let wrongPort = try await refusedJoin(at: "127.0.0.1:\(first.port)", token: token)
            #expect(wrongPort.status == .exit(17))
            #expect(wrongPort.errors.contains("is this its cluster port"), "\(wrongPort.errors)")

            try await withNode { other in
                let foreign = try await refusedJoin(at: other.clusterAddress, token: token)
                #expect(foreign.status == .exit(13))
                #expect(foreign.errors.contains("not of the cluster that the token is for"), "\(foreign.errors)")
                // A private Postgres cannot be shared, which is said before anybody tries.
                let alone = try await command(["token", "create"], on: other)
                #expect(alone.status == .exit(78))
                #expect(alone.errors.contains("private Postgres"), "\(alone.errors)")
                // A node that is a member of another cluster.
                #expect(try await other.stop() == .exit(0))
                let elsewhere = try await ChildProcess.run([
                    "node", "join", first.clusterAddress, "--token", token, "--data-dir", other.directory.path,
                    "--admin-listen", "127.0.0.1:0", "--cluster-listen", "127.0.0.1:0",
                ])
                #expect(elsewhere.ending == .exit(13))
                #expect(elsewhere.errors.contains("holds a node of cluster"), "\(elsewhere.errors)")
            }

            // Nor is a second cluster made in a database that has one.
            let directory = try SystemDirectory()
            defer { directory.remove() }
            let second = try await ChildProcess.run([
                "node", "init", "--data-dir", directory.path, "--database-url", postgres.url,
            ])
            #expect(second.ending == .exit(13))
            #expect(second.errors.contains("belongs to cluster"), "\(second.errors)")
            #expect(!FileManager.default.fileExists(atPath: directory.file("identity.json")))

            // Without Postgres nobody is let in, and the token stays good.
            try await postgres.stop()
            let outage = try await refusedJoin(at: first.clusterAddress, token: token)
            #expect(outage.status == .exit(69))
            #expect(outage.errors.contains("Postgres"), "\(outage.errors)")
            let listing = try await command(["ls"], on: first)
            #expect(listing.status == .exit(69))
            // What the node itself sees it says all the same.
            let status = try await command(["status", "--json"], on: first)
            #expect(status.status == .exit(0), "\(status.errors)")
            #expect(try JSON.parse(Array(status.output.utf8))["name"]?.stringValue == first.name)
            try await postgres.restart()
            _ = try await eventually("Postgres to be back") {
                try await first.reasonsAgainstReadiness() == [] ? true : nil
            }
            try await withNode(.init(joining: (first, token))) { joined in
                let both = try await nodes(on: first)
                #expect(both.keys.contains(joined.name))
            }
        }
        let nobody = try await ChildProcess.run(["node", "ls", "--admin", "http://127.0.0.1:\(try FreePort.take())"])
        #expect(nobody.ending == .exit(17))
    }

    @Test func aNodeIsDrainedUndrainedAndLeaves() async throws {
        try await withCluster { _, first in
            let token = try await token(on: first)
            let heavy = ["--set", "cluster_weight=3"]
            try await withNode(.init(joining: (first, token), arguments: heavy)) { second in
                func slots(_ name: String) async throws -> Int? { try await nodes(on: first)[name]?["slots"]?.intValue }
                // The second one asks for three times as many.
                _ = try await eventually("both to have slots") { () async throws -> Bool? in
                    let (one, other) = (try await slots(first.name) ?? 0, try await slots(second.name) ?? 0)
                    return one > 0 && other > 2 * one && one + other == 1024 ? true : nil
                }
                // Each of these may be said twice.
                for _ in 0..<2 {
                    let drained = try await command(["drain"], on: second)
                    #expect(drained.status == .exit(0), "\(drained.errors)")
                    #expect(try await slots(second.name) == 0)
                }
                #expect(try await nodes(on: first)[second.name]?["state"]?.stringValue == "draining")
                // Where its clients come from it says so, too, and to everybody.
                let client = HTTPClient(port: second.port)
                defer { client.close() }
                let unready = try await client.send(.GET, "/readyz")
                #expect(unready.status == 503)
                #expect(unready.body["reasons"]?.arrayValue?.map { $0["code"]?.stringValue } == ["draining"])
                #expect(try await client.send(.GET, "/livez").status == 200)
                for _ in 0..<2 {
                    let undrained = try await command(["undrain"], on: second)
                    #expect(undrained.status == .exit(0), "\(undrained.errors)")
                }
                _ = try await eventually("the node to have slots again") { () async throws -> Bool? in
                    try await slots(second.name) ?? 0 > 0 ? true : nil
                }
                let ready = try await client.send(.GET, "/readyz")
                #expect(ready.status == 200)
                #expect(ready.text == #"{"ready":true,"reasons":[]}"#)
                let status = try await command(["status", "--json"], on: second)
                #expect(status.json?["name"]?.stringValue == second.name)
                #expect(status.json?["view"]?.arrayValue?.count == 2)

                let left = try await command(["leave"], on: second)
                #expect(left.status == .exit(0), "\(left.errors)")
                #expect(try await second.process.waitForEnd() == .exit(0))
                let gone = try await nodes(on: first)[second.name]
                #expect(gone?["state"]?.stringValue == "left")
                #expect(gone?["slots"]?.intValue == 0)
                #expect(try await command(["leave"], on: second).status == .exit(17))
                let leaving = ["leave", "--data-dir", second.directory.path]
                let again = try await command(leaving, on: second)
                #expect(again.status == .exit(0), "\(again.errors)")
                #expect(again.lastLine == "has left already")
                // It was let go, not thrown out.
                try await second.restart()
                #expect(try await nodes(on: first)[second.name]?["alive"]?.boolValue == true)
                // Being dead is not having left.
                try await second.kill()
                #expect(try await command(leaving, on: second).status == .exit(17))
            }
        }
    }

    /// A node that was away while it was removed ends when it comes back, by itself and with the reason.
    @Test func aNodeThatWasRemovedWhileItSleptEnds() async throws {
        try await withCluster { _, first in
            let token = try await token(on: first)
            try await withNode(.init(joining: (first, token))) { second in
                second.pause()
                let removed = try await eventually("the node to be dead") { () async throws -> Result? in
                    let answer = try await command(["remove", second.name], on: first)
                    return answer.errors.contains("lives") ? nil : answer
                }
                #expect(removed.status == .exit(0), "\(removed.errors)")
                second.proceed()
                #expect(try await second.process.waitForEnd(within: .seconds(120)) == .exit(18))
                #expect(second.log.contains("was removed from cluster"))
                #expect(try await first.reasonsAgainstReadiness() == [])
            }
        }
    }

    @Test func initIsDoneOnce() async throws {
        let directory = try SystemDirectory()
        defer { directory.remove() }
        let arguments = ["node", "init", "--data-dir", directory.path, "--name", "founder"]
        let made = try await ChildProcess.run(arguments)
        #expect(made.ending == .exit(0), "\(made.errors)")
        #expect(made.output.hasSuffix("node founder (1)\n"))
        let again = try await ChildProcess.run(arguments)
        #expect(again.ending == .exit(0))
        #expect(again.output == made.output)
        let shown = try JSON.parse(Array(try await ChildProcess.run(arguments + ["--json"]).output.utf8))
        #expect(shown["name"]?.stringValue == "founder")
        #expect(shown["id"]?.intValue == 1)
        #expect(made.output.contains(try #require(shown["cluster"]?.stringValue)))
        let file = directory.file("identity.json")
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? NSNumber
        #expect(mode?.intValue == 0o600)
        #expect(SystemDirectory.postmaster(in: directory.path) == nil, "the private Postgres was left running")
    }
}
