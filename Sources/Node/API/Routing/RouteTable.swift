import FluxCore
import Foundation
import HTTPTypes
import Hummingbird
import NIOHTTP1

/// The routes of the API, each with who may call it and how often.
///
/// A route's handler is called with a verified caller and within its limits; what it throws becomes the refusal of
/// protocol 3.5, with the limit headers of 3.6. Register every route before `makeResponder`.
///
/// Captured segments are written `{guild}`, and one kind of thing has one name everywhere (`guild`, `channel`, `message`,
/// `user`, `role`, `emoji`, `code`, `application`, `webhook`, `overwrite`, `ban`): the router tells routes apart by position, not by name.
public final class RouteTable {
    /// Answers one call.
    public typealias Handler = @Sendable (Call) async throws -> Answer

    private let router: Router<FluxRequestContext>
    private let authenticator: any Authenticator
    private let limits: RateLimitGate

    /// Makes an empty table.
    public init(authenticator: any Authenticator, limits: RateLimitGate) {
        self.authenticator = authenticator
        self.limits = limits
        router = Router(context: FluxRequestContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: RefusalMiddleware())
    }

    /// Adds a route below `/api`, `/api/v9` and `/api/v10`; the path starts with `/` and leaves the prefix out.
    public func add(
        _ method: HTTPRequest.Method, _ path: String, access: Access, limit: RateLimitBucket? = nil,
        handler: @escaping Handler
    ) {
        let authenticator = authenticator
        let limits = limits
        router.on(RouterPath("/api" + path), method: method) { request, context in
            let credential = try await Self.credential(of: request.head, access: access, context, authenticator)
            let call = Call(request: request, context: context, credential: credential)
            let now = Date().timeIntervalSince1970
            let verdict = await limits.admit(
                bucket: limit, credential: credential, address: context.clientAddress,
                major: Self.majorParameter(context), at: now)
            switch verdict {
            case .refused(let answer):
                return answer.response()
            case .admitted(let admission):
                var answer = try await Self.answer(call, handler)
                admission.mark(&answer.headers, at: now)
                return answer.response()
            }
        }
    }

    /// Adds a route at the root of the origin that anyone may call: files, and nothing of the API.
    public func addAtRoot(_ method: HTTPRequest.Method, _ path: String, handler: @escaping Handler) {
        router.on(RouterPath(path), method: method) { request, context in
            try await Self.answer(Call(request: request, context: context, credential: nil), handler).response()
        }
    }

    /// The finished routes, ready to answer. Nothing may be added afterwards.
    public func makeResponder(configuration: APIResponder.Configuration) -> APIResponder {
        APIResponder(routes: router.buildResponder(), configuration: configuration)
    }

    private static func credential(
        of head: HTTPRequest, access: Access, _ context: FluxRequestContext, _ authenticator: any Authenticator
    ) async throws -> Credential? {
        if case .anyone = access { return nil }
        guard let credential = try await authenticator.authenticate(head, from: context.clientAddress) else {
            throw APIError.unauthorized
        }
        switch access {
        case .person where credential.isBot: throw APIError.onlyPeople
        case .bot where !credential.isBot: throw APIError.onlyBots
        default: return credential
        }
    }

    /// The answer of a handler, its refusals included, so that limit headers get on those too.
    private static func answer(_ call: Call, _ handler: Handler) async throws -> Answer {
        do {
            return try await handler(call)
        } catch let error as HTTPParserError {
            // The request itself is broken; the server says so and closes.
            throw error
        } catch {
            let refusal = Failure.refusal(for: error, logger: call.context.logger)
            var answer = Answer.refusal(refusal)
            // A limit of the channel or the user, not of this route's bucket: `shared` sends hikari to retry_after.
            if refusal.status == 429 { answer.headers[.rateLimitScope] = refusal.isGlobal ? "global" : "shared" }
            return answer
        }
    }

    /// The channel, guild or webhook that a limit is counted for.
    private static func majorParameter(_ context: FluxRequestContext) -> UInt64 {
        for name in ["channel", "guild", "webhook"] as [Substring] {
            if let id = context.parameters[name].flatMap({ Snowflake(String($0)) }) { return id.rawValue }
        }
        return 0
    }
}
