import FluxCore
import FluxSecurity
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import Metrics
import NIOCore
import NIOHTTP1

/// Answers the requests of one port: the outermost layer around the routes.
///
/// It reads path prefixes as one, says who the client is, answers OPTIONS, strips bodies from answers to HEAD, and puts on
/// every answer what every answer has: `Via` (a 429 without it looks to libraries like a ban by a proxy) and `Date`.
public struct APIResponder: Sendable {
    /// What a responder needs to know about its place.
    public struct Configuration: Sendable {
        /// Whose word about client addresses is believed.
        public var trustedProxies: TrustedProxies
        /// The longest body of any route in bytes; more is not even asked for by `100 Continue`.
        public var bodyLimit: Int
        /// Where request failures are logged.
        public var logger: Logger

        /// Makes a configuration.
        public init(trustedProxies: TrustedProxies = .none, bodyLimit: Int = 10 * 25 << 20, logger: Logger) {
            self.trustedProxies = trustedProxies
            self.bodyLimit = bodyLimit
            self.logger = logger
        }
    }

    private let routes: RouterResponder<FluxRequestContext>
    private let configuration: Configuration
    private let date = HTTPDate()

    init(routes: RouterResponder<FluxRequestContext>, configuration: Configuration) {
        self.routes = routes
        self.configuration = configuration
    }

    /// Answers a request of a server connection. This is a hummingbird `HTTPChannelHandler.Responder`.
    public func respond(
        to request: Request, writer: consuming ResponseWriter, channel: any NIOCore.Channel
    ) async throws {
        let length = request.headers[.contentLength].flatMap(Int.init) ?? 0
        if request.headers[.expect]?.lowercased() == "100-continue", length <= configuration.bodyLimit {
            try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        let peer = ClientAddress(channel.remoteAddress)
        let response = try await answer(request, peer: peer)
        do {
            try await writer.write(response: response.head, body: response.body)
        } catch let error as HTTPParserError {
            // Passed on as it is, this would make the server write a second head into the middle of the first answer.
            throw BrokenRequest(cause: error)
        }
    }

    /// Answers a request whose connection comes from `peer`.
    public func answer(_ request: Request, peer: ClientAddress) async throws -> Response {
        var head = request.head
        head.path = RequestPath.canonical(head.path ?? "/")
        let address = configuration.trustedProxies.client(
            of: peer, forwardedFor: head.headerFields[values: .forwardedFor])
        var response: Response
        if head.method == .options {
            response = Response(status: .noContent, headers: [.allow: Self.methods.joined(separator: ", ")])
            response.headers[.contentLength] = nil
        } else {
            let context = FluxRequestContext(source: .init(logger: configuration.logger, clientAddress: address))
            response = try await routes.respond(to: Request(head: head, body: request.body), context: context)
            Self.measure(context, head.method, response.status.code)
        }
        if head.method == .head { response = response.createHeadResponse() }
        response.headers[.via] = "1.1 flux"
        response.headers[.date] = date.text(at: Int(Date().timeIntervalSince1970))
        return response
    }

    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    /// Counts the answer by route, method and class of status.
    private static func measure(_ context: FluxRequestContext, _ method: HTTPRequest.Method, _ status: Int) {
        let route = context.endpointPath ?? "none"
        // An unknown method is a client's free text, and a label must not be.
        let name = methods.contains(method.rawValue) ? method.rawValue : "other"
        Metrics.Counter(label: "flux_http_requests_total", dimensions: [("status", "\(status / 100)xx")]).increment()
        Metrics.Timer(
            label: "flux_http_request_seconds",
            dimensions: [("route", route), ("method", name), ("status", "\(status / 100)xx")]
        ).recordNanoseconds((NIODeadline.now() - context.start).nanoseconds)
    }
}

/// A request that broke off while its answer was being written.
struct BrokenRequest: Error {
    let cause: HTTPParserError
}
