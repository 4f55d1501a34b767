import FluxAPI
import FluxCore
import FluxSecurity
import Logging

/// The API as a node runs it, on a real port, over an engine that is a stand-in.
struct TestNode {
    let client: TestClient
    let engine: FakeEngine
    let files: TestDirectory
    let uploads: TestDirectory

    /// Runs a node for the time of `body`.
    static func run(
        engine: FakeEngine = FakeEngine(), directory: FakeDirectory = FakeDirectory(),
        limits: RateLimitConfiguration = RateLimitConfiguration(isOn: false), trustedProxies: TrustedProxies = .none,
        multipart: MultipartLimits = MultipartLimits(), routes more: (RouteTable) -> Void = { _ in },
        _ body: @escaping @Sendable (TestNode) async throws -> Void
    ) async throws {
        let files = try TestDirectory()
        let uploads = try TestDirectory()
        let storage = try DirectoryStorage(root: files.path)
        let table = RouteTable(
            authenticator: FakeAuthenticator(),
            limits: RateLimitGate(configuration: limits, limiter: LocalRateLimiter()))
        let services = Services(
            engine: engine, directory: directory, storage: storage, spool: try UploadSpool(directory: uploads.path),
            multipart: multipart, publicOrigin: "http://127.0.0.1:8080")
        services.register(in: table, storage: storage)
        more(table)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let responder = table.makeResponder(
            configuration: APIResponder.Configuration(trustedProxies: trustedProxies, logger: logger))
        try await TestServer.run(
            responder: { try await responder.respond(to: $0, writer: $1, channel: $2) },
            { server in
                try await body(
                    TestNode(client: TestClient(port: server.port), engine: engine, files: files, uploads: uploads))
            })
    }
}
