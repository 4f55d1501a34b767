import FluxCore
import Foundation
import Testing

/// `flux node init --anew`: a cluster whose nodes are gone with what they were, over the database that is left.
@Suite(.serialized, .timeLimit(.minutes(3))) struct FoundingTests {
    private func initialise(
        in directory: SystemDirectory, database url: String, _ arguments: [String] = []
    ) async throws -> (ending: ChildProcess.Ending, output: String, errors: String) {
        try await ChildProcess.run(
            ["node", "init", "--data-dir", directory.path, "--database-url", url] + arguments)
    }

    private func read(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    @Test func aClusterIsBegunAnewOverWhatWasSaid() async throws {
        try await withPostgres { postgres in
            try await withNode(.init(databaseURL: postgres.url)) { node in
                let population = try await Population.make(on: node, people: 1)
                let channel = try #require(population.channels.first)
                let path = "/api/v10/channels/\(channel)/messages"
                let said = try await node.client(population.people[0]).send(.POST, path, ["content": "before"])
                #expect(said.status == 200)
                let identity = node.directory.file("identity.json")
                let former = try read(identity)

                // Not while the node runs: neither in its directory, nor from another one.
                let held = try await initialise(in: node.directory, database: postgres.url, ["--anew"])
                #expect(held.ending == .exit(69))
                #expect(held.errors.contains("another node is running in it"), "\(held.errors)")
                let stranger = try SystemDirectory()
                defer { stranger.remove() }
                let alive = try await initialise(in: stranger, database: postgres.url, ["--anew"])
                #expect(alive.ending == .exit(1))
                #expect(alive.errors.contains("of which these nodes live: \(node.name);"), "\(alive.errors)")
                #expect(!FileManager.default.fileExists(atPath: stranger.file("identity.json")))

                // Without what the node was nobody is let in by a mere start.
                #expect(try await node.stop() == .exit(0))
                try FileManager.default.removeItem(atPath: identity)
                let refused = try await initialise(in: node.directory, database: postgres.url)
                #expect(refused.ending == .exit(13))
                #expect(refused.errors.contains("`flux node init --anew` makes a new cluster"), "\(refused.errors)")
                try node.relaunch()
                #expect(try await node.process.waitForEnd() == .exit(13))

                // Twice: each makes a new one, the last counts.
                var lines: Set<String> = []
                for number in 2...3 {
                    let anew = try await initialise(
                        in: node.directory, database: postgres.url, ["--anew", "--name", node.name])
                    #expect(anew.ending == .exit(0), "\(anew.errors)")
                    #expect(anew.output.hasSuffix("node \(node.name) (\(number))\n"), "\(anew.output)")
                    lines.insert(anew.output)
                }
                #expect(lines.count == 2)
                try await node.restart()
                let client = node.client(population.people[0])
                #expect(try await client.send(.POST, path, ["content": "after"]).status == 200)
                let history = try await client.send(.GET, path)
                #expect(history.body.arrayValue?.map { $0["content"]?.stringValue } == ["after", "before"])
                let listed = try await ChildProcess.run(["node", "ls", "--json", "--admin", node.adminURL])
                let nodes = try JSON.parse(Array(listed.output.utf8))["nodes"]?.arrayValue
                #expect(nodes?.map { $0["name"]?.stringValue } == [node.name])

                // What it was before is nothing to the new cluster.
                #expect(try await node.stop() == .exit(0))
                try former.write(to: URL(fileURLWithPath: identity))
                try node.relaunch()
                #expect(try await node.process.waitForEnd() == .exit(13))
            }
        }
    }
}
