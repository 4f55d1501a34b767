import FluxCore
import HTTPTypes
import Hummingbird
import NIOCore

/// The part of the admin API that is about the cluster. Every answer is one JSON object; a refusal is `{error, code}`, where
/// the code names an ``ExitStatus``. Everything needs the header of ``AdminServer``, also what only reads.
struct ClusterRoutes: Sendable {
    /// Below which path everything is.
    static let root = "/admin/v1/cluster"

    let cluster: @Sendable () -> ClusterAdministration?

    func add(to router: Router<BasicRequestContext>) {
        add(.get, "/status", to: router) { cluster, _, _ in try await cluster.status() }
        add(.get, "/nodes", to: router) { cluster, _, _ in try await cluster.nodes() }
        add(.delete, "/nodes/{name}", to: router) { cluster, _, parameter in try await cluster.remove(parameter) }
        add(.post, "/drain", to: router) { cluster, _, _ in try await cluster.drain() }
        add(.post, "/undrain", to: router) { cluster, _, _ in try await cluster.undrain() }
        add(.post, "/leave", to: router) { cluster, _, _ in try await cluster.leave() }
        add(.get, "/tokens", to: router) { cluster, _, _ in try await cluster.tokens() }
        add(.post, "/tokens", to: router) { cluster, body, _ in
            try await cluster.createToken(lifetimeSeconds: body["ttl_seconds"]?.intValue)
        }
        add(.delete, "/tokens/{id}", to: router) { cluster, _, parameter in try await cluster.revokeToken(parameter) }
    }

    /// Adds a route that is given the body and the path's parameter, empty where it has none.
    private func add(
        _ method: HTTPRequest.Method, _ path: String, to router: Router<BasicRequestContext>,
        _ answer: @escaping @Sendable (ClusterAdministration, JSON, String) async throws -> JSON
    ) {
        router.on(RouterPath(Self.root + path), method: method) { request, context in
            // Read even when it is of no use: an answer to a request that is still coming can be lost with the connection.
            let bytes = try await request.body.collect(upTo: AdminServer.bodyLimit)
            guard AdminServer.isGuarded(request) else { return AdminServer.unguarded }
            guard let cluster = cluster() else {
                return Self.refusal(
                    CommandFailure(.unavailable, "the node has not opened its database yet, or has closed it"))
            }
            var body: JSON = [:]
            if bytes.readableBytes > 0 {
                guard let parsed = try? JSON.parse(Array(bytes.readableBytesView)) else {
                    return Self.refusal(CommandFailure(.usage, "the body is no JSON"))
                }
                body = parsed
            }
            let parameter = context.parameters.get("name") ?? context.parameters.get("id") ?? ""
            do {
                return AdminServer.json(.ok, try await answer(cluster, body, parameter).encoded())
            } catch let failure as CommandFailure {
                return Self.refusal(failure)
            }
        }
    }

    private static func refusal(_ failure: CommandFailure) -> Response {
        let status: HTTPResponse.Status =
            switch failure.status {
            case .usage: .badRequest
            case .unavailable, .noQuorum: .serviceUnavailable
            default: .conflict
            }
        return AdminServer.refusal(status, failure.message, code: failure.status.code)
    }
}
