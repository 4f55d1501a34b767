import FluxCore
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The admin port: metrics, health and what administrators do. It asks for no password: it listens on loopback unless
/// configured otherwise.
///
/// So that no web page can drive it through an administrator's browser, everything but the three GETs needs the header
/// `X-Flux-Admin: 1`, which no page can add without asking first.
struct AdminServer: Sendable {
    /// The header that a change needs.
    static let guardHeader = "X-Flux-Admin"
    static let guardField = HTTPField.Name(guardHeader)
    /// The longest body of a request.
    static let bodyLimit = 64 << 10

    let readiness: Readiness
    let metrics: MetricsRegistry
    /// Brings up to date what metrics cannot be asked for at any moment; called before each scrape.
    let refreshMetrics: @Sendable () async -> Void
    /// Makes accounts, guilds and memberships. Called only while the node is ready.
    let provision: @Sendable (ProvisionRequest, ProvisionWriter) async throws -> Void
    /// The cluster; nil before the node has opened its database.
    let cluster: @Sendable () -> ClusterAdministration?

    /// The HTTP application, not running yet. `onRunning` is told the address that was bound.
    func application(
        on endpoint: Endpoint, group: any EventLoopGroup, logger: Logger,
        onRunning: @escaping @Sendable (SocketAddress?) async -> Void
    ) -> some ApplicationProtocol {
        Application(
            router: router(),
            configuration: ApplicationConfiguration(
                address: .hostname(endpoint.host, port: endpoint.port), serverName: "flux"),
            onServerRunning: { await onRunning($0.localAddress) },
            eventLoopGroupProvider: .shared(group), logger: logger)
    }

    private func router() -> Router<BasicRequestContext> {
        let router = Router()
        router.get("/metrics") { [metrics, refreshMetrics] _, _ in
            await refreshMetrics()
            return Response(
                status: .ok, headers: [.contentType: PrometheusText.contentType],
                body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.render())))
        }
        router.get("/livez") { _, _ in
            Self.json(.ok, HealthRoutes.alive)
        }
        router.get("/readyz") { [readiness] _, _ in
            Self.json(readiness.isReady ? .ok : .serviceUnavailable, readiness.encoded())
        }
        router.post("/admin/v1/provision") { request, _ in
            try await self.provision(request)
        }
        ClusterRoutes(cluster: cluster).add(to: router)
        return router
    }

    private func provision(_ request: Request) async throws -> Response {
        // Read even when it is of no use: an answer to a request that is still coming can be lost with the connection.
        let body = try await request.body.collect(upTo: Self.bodyLimit)
        guard Self.isGuarded(request) else { return Self.unguarded }
        guard readiness.isReady else {
            return Self.refusal(.serviceUnavailable, "the node is not ready; see /readyz")
        }
        let wanted: ProvisionRequest
        do throws(ProvisionRequest.Refusal) {
            wanted = try ProvisionRequest(body: Array(body.readableBytesView))
        } catch {
            return Self.refusal(.badRequest, error.message)
        }
        let run = provision
        return Response(
            status: .ok, headers: [.contentType: "application/x-ndjson"],
            body: ResponseBody { writer in
                let lines = ProvisionWriter(writer)
                do {
                    try await run(wanted, lines)
                } catch let failure as CommandFailure {
                    // The head is out; the last line says that the rest is missing.
                    try await lines.fail(failure.message)
                }
                try await lines.finish()
            })
    }

    /// Whether no web page can have made the request.
    static func isGuarded(_ request: Request) -> Bool {
        guardField.map { request.headers[$0] != nil } ?? false
    }

    /// The answer to a request that one may have made.
    static var unguarded: Response { refusal(.forbidden, "the header \(guardHeader): 1 is missing") }

    static func json(_ status: HTTPResponse.Status, _ bytes: [UInt8]) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// A refusal in words, and by what it means for a command where that is known.
    static func refusal(_ status: HTTPResponse.Status, _ message: String, code: String? = nil) -> Response {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("error")
        writer.string(message)
        if let code {
            writer.key("code")
            writer.string(code)
        }
        writer.endObject()
        return json(status, writer.bytes)
    }
}
