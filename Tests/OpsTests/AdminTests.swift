import FluxCore
import FluxTestSupport
import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import FluxOps

@Suite("The admin port")
struct AdminTests {
    /// Runs an admin server on a free port for the time of the body.
    func withServer(
        _ readiness: Readiness, _ metrics: MetricsRegistry = MetricsRegistry(),
        provision: @escaping @Sendable (ProvisionRequest, ProvisionWriter) async throws -> Void = { _, _ in },
        body: (Int) async throws -> Void
    ) async throws {
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let server = AdminServer(
            readiness: readiness, metrics: metrics, refreshMetrics: {}, provision: provision, cluster: { nil })
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let application = server.application(
            on: Endpoint(host: "127.0.0.1", port: 0), group: MultiThreadedEventLoopGroup.singleton, logger: logger,
            onRunning: { continuation.yield($0?.port ?? 0) })
        let group = ServiceGroup(services: [application], logger: logger)
        let running = Task { try await group.run() }
        for await port in ports {
            try await body(port)
            break
        }
        await group.triggerGracefulShutdown()
        try await running.value
    }

    /// Status and body of a GET.
    func get(_ port: Int, _ path: String) async throws -> (Int, String) {
        let text = try await ChildProcess.run([
            "bash", "-c",
            """
            exec 3<>/dev/tcp/127.0.0.1/\(port)
            printf 'GET \(path) HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' >&3
            cat <&3
            """,
        ]).output
        let status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return (status, text.components(separatedBy: "\r\n\r\n").dropFirst().joined())
    }

    @Test("Health says why, metrics are in the text format")
    func health() async throws {
        let readiness = Readiness()
        try await withServer(readiness) { port in
            let starting = try await get(port, "/readyz")
            #expect(starting.0 == 503)
            #expect(starting.1 == #"{"ready":false,"reasons":[{"code":"starting","message":"the node is starting"}]}"#)
            #expect(try await get(port, "/livez").0 == 200)
            readiness.set(.starting, false)
            let ready = try await get(port, "/readyz")
            #expect(ready.0 == 200)
            #expect(ready.1 == #"{"ready":true,"reasons":[]}"#)
            #expect(try await get(port, "/metrics").1.contains("# TYPE flux_metrics_refused_series_total counter"))
            #expect(try await get(port, "/nothing").0 == 404)
        }
    }

    @Test("Provisioning streams lines, and its last line tells of a failure")
    func provisioning() async throws {
        let readiness = Readiness()
        readiness.set(.starting, false)
        let request = ProvisionRequest(users: 3, guilds: 1, members: 2, channels: 1, prefix: "x")
        let provision: @Sendable (ProvisionRequest, ProvisionWriter) async throws -> Void = { request, writer in
            for position in 0..<request.users {
                try await writer.person(
                    id: UserID(UInt64(position + 1)), username: request.username(position), accessToken: "t",
                    guildIDs: [GuildID(7)], channelIDs: [])
            }
            if request.prefix == "broken" { throw CommandFailure(.failure, "no more") }
        }
        try await withServer(readiness, provision: provision) { port in
            let client = try AdminClient("http://127.0.0.1:\(port)")
            var text = ""
            try await client.post("/admin/v1/provision", body: request.encoded()) { text += String(buffer: $0) }
            let lines = text.split(separator: "\n")
            #expect(lines.count == 3)
            #expect(
                lines.first
                    == #"{"user_id":"1","username":"x0","access_token":"t","guild_ids":["7"],"channel_ids":[]}"#)

            var broken = request
            broken.prefix = "broken"
            text = ""
            try await client.post("/admin/v1/provision", body: broken.encoded()) { text += String(buffer: $0) }
            #expect(text.hasSuffix("{\"error\":\"no more\"}\n"))

            readiness.set(.draining, true)
            await #expect(throws: CommandFailure.self) {
                try await client.post("/admin/v1/provision", body: request.encoded()) { _ in }
            }
        }
    }

    @Test("A request for people and guilds is refused outside its limits")
    func provisionRequests() throws {
        let request = ProvisionRequest(users: 10, guilds: 4, members: 3, channels: 2, prefix: "a.b_9")
        #expect(try ProvisionRequest(body: request.encoded()) == request)
        #expect(request.people(ofGuild: 3) == [9, 0, 1])
        for body in [
            "", "[]", #"{"users":0}"#, #"{"users":1.5}"#, #"{"users":2,"members":3}"#, #"{"users":2000000}"#,
            #"{"prefix":"Ä"}"#, #"{"prefix":""}"#, #"{"users":1000000,"members":250000,"guilds":1000000}"#,
            #"{"users":"9"}"#,
        ] {
            #expect(throws: ProvisionRequest.Refusal.self) { try ProvisionRequest(body: Array(body.utf8)) }
        }
    }

    @Test("Nobody answers: one sentence and a status that means try again")
    func unreachable() async throws {
        let client = try AdminClient("http://127.0.0.1:1")
        let failure = await #expect(throws: CommandFailure.self) {
            try await client.post("/admin/v1/provision", body: []) { _ in }
        }
        #expect(failure?.status == .noNode)
        #expect(throws: CommandFailure.self) { try AdminClient("ftp://x") }
    }

    @Test("A port that takes connections and says nothing ends a call, with a status that means try again")
    func silence() async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let client = try AdminClient("http://127.0.0.1:\(port)")
        let failure = await #expect(throws: CommandFailure.self) {
            _ = try await client.call(
                .POST, "/admin/v1/cluster/drain", within: .milliseconds(200), ifUnanswered: "Who knows.")
        }
        #expect(failure?.status == .noNode)
        #expect(failure?.message.contains("has said nothing for 200ms") == true)
        #expect(failure?.message.hasSuffix(" Who knows.") == true)
        try await listener.close()
    }

    @Test("An answer that takes its time is waited for as long as something comes")
    func patience() async throws {
        let readiness = Readiness()
        readiness.set(.starting, false)
        let provision: @Sendable (ProvisionRequest, ProvisionWriter) async throws -> Void = { _, writer in
            for position in 0..<4 {
                try await Task.sleep(for: .milliseconds(700))
                try await writer.person(
                    id: UserID(UInt64(position + 1)), username: String(repeating: "x", count: 70_000),
                    accessToken: "t", guildIDs: [], channelIDs: [])
            }
        }
        try await withServer(readiness, provision: provision) { port in
            let request = ProvisionRequest(users: 4, guilds: 0, members: 1, channels: 1, prefix: "x")
            var count = 0
            // All of it takes longer than this.
            try await AdminClient("http://127.0.0.1:\(port)").post(
                "/admin/v1/provision", body: request.encoded(), within: .milliseconds(2_500)
            ) { count += $0.readableBytes }
            #expect(count > 280_000)
        }
    }

    @Test("One process holds a data directory")
    func dataDirectory() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("flux-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let held = try DataDirectory(path + "/nested")
        let failure = #expect(throws: CommandFailure.self) { try DataDirectory(path + "/nested") }
        #expect(failure?.status == .unavailable)
        #expect(throws: CommandFailure.self) { try DataDirectory("/proc/nothing/here") }
        withExtendedLifetime(held) {}
    }
}

@Suite("Log lines")
struct LogTests {
    /// What a logger writes.
    func lines(_ format: NodeConfiguration.LogSettings.Format, _ body: (Logger) -> Void) throws -> [String] {
        let pipe = Pipe()
        var settings = NodeConfiguration.LogSettings()
        settings.format = format
        let sink = LogSink(descriptor: pipe.fileHandleForWriting.fileDescriptor)
        body(Logger(label: "flux.test") { FluxLogHandler(label: $0, settings: settings, sink: sink) })
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }

    @Test("Text: one line an event, whatever is in it")
    func text() throws {
        let found = try lines(.text) { logger in
            logger.info("one\ntwo\u{1b}[31m", metadata: ["b": "2", "a": "x\ny"])
            logger.debug("below the level")
        }
        #expect(found.count == 1)
        #expect(found.first?.hasSuffix(#" info flux.test: one\ntwo\u{1B}[31m a=x\ny b=2"#) == true)
    }

    @Test("JSON: one object a line")
    func json() throws {
        let found = try lines(.json) { logger in
            logger.warning("a \"quoted\"\nword", metadata: ["key": ["nested": "value"]])
        }
        let line = try #require(found.first)
        let object = try #require(JSON.parse(Array(line.utf8)).objectValue)
        #expect(object["level"]?.stringValue == "warning")
        #expect(object["message"]?.stringValue == "a \"quoted\"\nword")
        #expect(object["logger"]?.stringValue == "flux.test")
        #expect(object["fields"]?.objectValue?["key"]?.stringValue == #"["nested": "value"]"#)
    }
}
