import FluxAPI
import HTTPTypes

/// Health on the client port, in the words of the admin port: a load balancer stands where only clients' ports are reached.
/// Anyone may ask; what is answered is no secret.
struct HealthRoutes: Sendable {
    /// The answer of a process that lives.
    static let alive = Array(#"{"alive":true}"#.utf8)

    let readiness: Readiness

    func register(in routes: RouteTable) {
        routes.addAtRoot(.get, "/livez") { _ in Self.answer(Self.alive) }
        routes.addAtRoot(.get, "/readyz") { [readiness] _ in
            Self.answer(readiness.encoded(), status: readiness.isReady ? 200 : 503)
        }
    }

    /// What was true a moment ago is of no use to anybody.
    private static func answer(_ bytes: [UInt8], status: Int = 200) -> Answer {
        var answer = Answer.json(bytes, status: status)
        answer.headers[.cacheControl] = "no-store"
        return answer
    }
}
