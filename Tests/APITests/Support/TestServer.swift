import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// A real HTTP server on a free port of this machine, for the time of a test.
struct TestServer {
    /// Where it listens.
    let port: Int

    /// Runs a server that answers with `responder`, calls `body`, and stops it.
    static func run<Result: Sendable>(
        responder: @escaping HTTPChannelHandler.Responder,
        _ body: @escaping @Sendable (TestServer) async throws -> Result
    ) async throws -> Result {
        let (ports, announcement) = AsyncStream.makeStream(of: Int.self)
        let server = HTTP1Channel(responder: responder).server(
            configuration: ServerConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { announcement.yield($0.localAddress?.port ?? 0) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: Logger(label: "test"))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            var found: Int?
            for await port in ports {
                found = port
                break
            }
            let result = try await body(TestServer(port: found ?? 0))
            group.cancelAll()
            return result
        }
    }
}
