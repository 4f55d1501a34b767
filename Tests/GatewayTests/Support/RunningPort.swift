import FluxCluster
import FluxRealtime
import FluxSecurity
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

@testable import FluxGateway

/// A client port on a free port of the loopback, with a small application behind it, for the time of a closure.
struct RunningPort {
    let port: Int
    let sessions: FakeSessions
    let group: MultiThreadedEventLoopGroup

    static func run(
        configure: (inout ClientPortConfiguration, inout GatewayConfiguration) -> Void = { _, _ in },
        _ body: (RunningPort) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let mesh = LoopMesh(group: group)
        var port = ClientPortConfiguration()
        var gatewayConfiguration = GatewayConfiguration(publicOrigin: "http://flux.test")
        configure(&port, &gatewayConfiguration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let sessions = FakeSessions(eventLoops: mesh.executors.map(\.eventLoop))
        let gateway = Gateway(
            configuration: gatewayConfiguration, mesh: mesh, sessions: sessions, authenticator: FakeAuthenticator(),
            logger: logger)
        let (bound, continuation) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router(), server: .clientPort(gateway: gateway, configuration: port),
            configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { continuation.yield($0.localAddress?.port ?? 0) },
            eventLoopGroupProvider: .shared(group), logger: logger)
        let services = ServiceGroup(configuration: .init(services: [application], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await services.run() }
            var iterator = bound.makeAsyncIterator()
            guard let number = await iterator.next() else { throw CancellationError() }
            try await body(RunningPort(port: number, sessions: sessions, group: group))
            // Not cancelled: then the server would still be telling its connections when their loops are gone.
            await services.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        try await group.shutdownGracefully()
    }

    private static func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("hello") { request, _ in "hello \(request.headers[.init("x-forwarded-for")!] ?? "")" }
        router.post("length") { request, _ in
            var count = 0
            for try await chunk in request.body { count += chunk.readableBytes }
            return String(count)
        }
        router.post("refuse") { _, _ -> String in throw HTTPError(.contentTooLarge) }
        return router
    }
}
