import FluxCore
import FluxRealtime
import HTTPTypes

/// Registration, login, refresh and logout (protocol 5.1 and 10.1).
///
/// Routes that set cookies refuse requests that another site caused, so that nobody can log a browser in to an account of
/// theirs. A refresh token in the body is for clients without a cookie jar: it is answered in the body and sets no cookie.
public struct AccountRoutes: Sendable {
    private let system: AccountSystem
    private let engine: any Engine
    private let directory: any Directory
    private let cookies: SessionCookies
    private let isRegistrationOpen: Bool

    /// - Parameter isRegistrationOpen: whether anybody may make an account; else registering is answered 403.
    public init(system: AccountSystem, services: Services, isRegistrationOpen: Bool = true) {
        self.system = system
        self.isRegistrationOpen = isRegistrationOpen
        engine = services.engine
        directory = services.directory
        cookies = SessionCookies(isSecure: system.origin.isSecure)
    }

    /// Adds the routes.
    public func register(in routes: RouteTable) {
        routes.add(.post, "/auth/register", access: .anyone, limit: .register) { try await register($0) }
        routes.add(.post, "/auth/login", access: .anyone, limit: .login) { try await logIn($0) }
        routes.add(.post, "/auth/refresh", access: .anyone, limit: .refresh) { try await refresh($0) }
        routes.add(.post, "/auth/logout", access: .person) { try await logOut($0) }
        routes.add(.get, "/auth/sessions", access: .person) { try await sessions($0) }
        routes.add(.post, "/auth/sessions/logout", access: .person) { try await endSessions($0) }
    }

    private func register(_ call: Call) async throws -> Answer {
        try refuseForeignOrigin(call)
        guard isRegistrationOpen else {
            throw APIError(status: 403, code: 0, message: "This server takes no new accounts.")
        }
        let form = try RegistrationForm(await call.json())
        let grant = try await system.accounts.register(form, clientInfo: call.request.headers[.userAgent])
        if let invite = form.invite { await accept(invite, grant, call) }
        return answer(grant, status: 201, withTokens: form.returnsToken, withCookies: true)
    }

    private func logIn(_ call: Call) async throws -> Answer {
        try refuseForeignOrigin(call)
        let form = try LoginForm(await call.json())
        let grant = try await system.logins.logIn(form, clientInfo: call.request.headers[.userAgent])
        return answer(grant, status: 200, withTokens: form.returnsToken, withCookies: true)
    }

    private func refresh(_ call: Call) async throws -> Answer {
        if let field = try await call.json()["refresh_token"], !field.isNull {
            guard let text = field.stringValue else {
                throw APIError.form(
                    ["refresh_token"], code: "STRING_TYPE_CONVERT",
                    message: "Could not interpret \"refresh_token\" as string.")
            }
            return answer(try await system.logins.refresh(text), status: 200, withTokens: true, withCookies: false)
        }
        guard let text = SessionCookies.refreshToken(in: call.request.headers) else { throw APIError.unauthorized }
        try refuseForeignOrigin(call)
        do {
            let grant = try await system.logins.refresh(text)
            return answer(grant, status: 200, withTokens: false, withCookies: true)
        } catch let error as APIError where error.status == 401 {
            return forgetting(.refusal(error))
        }
    }

    private func logOut(_ call: Call) async throws -> Answer {
        let caller = try call.caller
        if let loginID = caller.loginID { try await system.logins.end([loginID], of: caller.userID) }
        return forgetting(.noContent)
    }

    private func sessions(_ call: Call) async throws -> Answer {
        let logins = try await system.logins.current(of: call.caller.userID)
        return Answer.writing { writer in
            writer.beginObject()
            writer.key("user_sessions")
            writer.beginArray()
            for login in logins {
                writer.beginObject()
                writer.field("id", login.id)
                writer.field("last_used_at", login.lastUsedAt)
                writer.field("client_info", login.clientInfo)
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
        }
    }

    private func endSessions(_ call: Call) async throws -> Answer {
        let list = try await call.json()["session_ids"]?.arrayValue ?? []
        guard (1...100).contains(list.count) else {
            throw APIError.form(
                ["session_ids"], code: "BASE_TYPE_BAD_LENGTH", message: "Must be between 1 and 100 in length.")
        }
        try await system.logins.end(list.compactMap(\.snowflakeValue), of: call.caller.userID)
        return .noContent
    }

    /// Joins the guild that a new account was invited to. The account stands in any case, and the invite can be used again.
    private func accept(_ code: String, _ grant: SessionGrant, _ call: Call) async {
        do {
            guard let guild = try await directory.guild(ofInvite: code) else { throw APIError.unknownInvite }
            let command = GuildCommand(
                caller: Caller(userID: grant.user.id, isBot: false), idempotencyKey: .random(in: 1 ... .max),
                operation: .acceptInvite(code: code))
            _ = try await engine.perform(command, on: guild)
        } catch {
            call.context.logger.info("the invite of a new account was refused", metadata: ["error": "\(error)"])
        }
    }

    private func refuseForeignOrigin(_ call: Call) throws(APIError) {
        guard system.origin.allowsWrite(call.request.headers) else { throw .crossOrigin }
    }

    private func answer(_ grant: SessionGrant, status: Int, withTokens: Bool, withCookies: Bool) -> Answer {
        var answer = Answer.writing { grant.write(to: &$0, withTokens: withTokens) }
        answer.status = status
        // Neither a browser nor a proxy may keep what logs somebody in.
        answer.headers[.cacheControl] = "no-store"
        if withCookies {
            let fields = cookies.setting(accessToken: grant.accessToken, refreshToken: grant.refreshToken)
            for field in fields { answer.headers.append(field) }
        }
        return answer
    }

    private func forgetting(_ answer: Answer) -> Answer {
        var answer = answer
        for field in cookies.clearing() { answer.headers.append(field) }
        return answer
    }
}
