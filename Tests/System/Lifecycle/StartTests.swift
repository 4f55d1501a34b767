import FluxCore
import Foundation
import Testing

/// What a node refuses to start on, in which words and with which exit status; and what it takes up from a predecessor.
@Suite struct StartTests {
    @Test(arguments: ["fsync", "synchronous_commit"])
    func aPostgresThatLosesCommitsIsRefused(_ setting: String) async throws {
        try await withPostgres { postgres in
            try await postgres.stop()
            let file = postgres.directory.file("postgres/data/postgresql.auto.conf")
            let handle = try #require(FileHandle(forWritingAtPath: file))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("\(setting) = off\n".utf8))
            try handle.close()
            try await postgres.restart()

            let refused = try await Self.run(["--database-url", postgres.url])
            #expect(refused.ending == .exit(78))
            #expect(refused.errors.contains("\(setting) = on"), "\(refused.errors)")
        }
    }

    @Test func aPostgresThatDoesNotAnswerIsReported() async throws {
        let port = try FreePort.take()
        let refused = try await Self.run(["--database-url", "postgres://flux:secret@127.0.0.1:\(port)/flux"])
        #expect(refused.ending == .exit(69))
        #expect(!refused.errors.contains("secret"), "the password was logged")
    }

    @Test func aSecondNodeInTheSameDirectoryIsRefused() async throws {
        try await withNode { node in
            let refused = try await Self.run([], in: node.directory.path)
            #expect(refused.ending == .exit(69))
            #expect(refused.errors.contains("another node is running in it"), "\(refused.errors)")
            #expect(try await node.reasonsAgainstReadiness() == [])
            #expect(node.process.ended == nil)
        }
    }

    @Test func aTakenPortIsReported() async throws {
        try await withNode { node in
            for (option, key, port) in [
                ("--listen", "listen", node.port), ("--admin-listen", "admin_listen", node.adminPort),
                ("--cluster-listen", "cluster_listen", node.clusterPort),
            ] {
                let refused = try await Self.run([option, "127.0.0.1:\(port)"])
                #expect(refused.ending == .exit(69))
                let words = "flux: \(key) 127.0.0.1:\(port): cannot be listened on: Address already in use\n"
                #expect(refused.errors.hasSuffix(words), "\(refused.errors)")
            }
        }
    }

    @Test func portZeroIsToldInTheCard() async throws {
        try await withNode(.init(arguments: ["--listen", "127.0.0.1:0"])) { node in
            let listen = try #require(node.card?["listen"]?.stringValue)
            let port = try #require(listen.split(separator: ":").last.flatMap { Int($0) })
            #expect(port != 0)
            let answer = try await HTTPClient(port: port).send(.GET, "/api/v10/gateway")
            #expect(answer.body["url"]?.stringValue?.hasPrefix("ws://127.0.0.1:\(port)") == true)
        }
    }

    /// `Type=notify`: the unit is started when the node serves, and is known to stop from the first moment on.
    @Test func theServiceManagerIsToldWhenItServesAndWhenItStops() async throws {
        let directory = try SystemDirectory()
        defer { directory.remove() }
        let socket = try NotifySocket(at: directory.file("notify"))
        var options = NodeProcess.Options()
        options.environment["NOTIFY_SOCKET"] = socket.path
        let node = try NodeProcess(options, in: directory)
        // The first word comes when the node takes traffic, and not before.
        let first = try await eventually("the first word", within: .seconds(90)) { () async throws -> [String]? in
            let told = socket.messages()
            return told.isEmpty ? nil : told
        }
        #expect(first == ["READY=1"])
        #expect(try await node.reasonsAgainstReadiness() == [])
        #expect(socket.messages() == [])
        #expect(try await node.stop() == .exit(0))
        #expect(socket.messages() == ["STOPPING=1"])
    }

    /// A killed node leaves its Postgres behind; the next one takes it up as it is, and stops it in the end.
    @Test func aPostgresThatWasLeftBehindIsAdopted() async throws {
        try await withNode { node in
            let postmaster = try #require(node.postmaster)
            try await node.kill()
            #expect(kill(postmaster, 0) == 0, "the private Postgres died with its node")
            try await node.restart()
            #expect(node.postmaster == postmaster)
            #expect(node.log.contains("adopting the private Postgres that runs as process \(postmaster)"))
            #expect(try await node.stop() == .exit(0))
            #expect(node.postmaster == nil)
            // Gone, or dead and not yet waited for by whoever has inherited it.
            _ = try await eventually("the end of the postmaster") {
                (FileManager.default.contents(atPath: "/proc/\(postmaster)/cmdline") ?? Data()).isEmpty ? true : nil
            }
        }
    }

    /// Runs a node that is to refuse to run.
    private static func run(
        _ arguments: [String], in path: String? = nil
    ) async throws -> (ending: ChildProcess.Ending, output: String, errors: String) {
        let directory = try SystemDirectory()
        defer { directory.remove() }
        return try await ChildProcess.run(
            [
                "node", "run", "--data-dir", path ?? directory.path, "--listen", "127.0.0.1:0", "--admin-listen",
                "127.0.0.1:0", "--cluster-listen", "127.0.0.1:0",
            ] + arguments)
    }
}
