import FluxCore
import FluxRealtime
import FluxStore
import HTTPTypes

/// Applications, their bots, and how a bot comes into a guild (protocol 5.8).
public struct ApplicationRoutes: Sendable {
    private let applications: ApplicationService
    private let services: Services

    public init(database: Database, system: AccountSystem, services: Services) {
        applications = ApplicationService(
            database: database, system: system, engine: services.engine, directory: services.directory)
        self.services = services
    }

    /// Adds the routes.
    public func register(in routes: RouteTable) {
        routes.add(.post, "/applications", access: .person, limit: .applicationCreate) { call in
            let entry = try await applications.create(form(call), ownedBy: call.caller.userID)
            var answer = Answer.writing { entry.write(to: &$0) }
            answer.status = 201
            return answer
        }
        routes.add(.get, "/applications", access: .person) { call in
            let entries = try await applications.list(ownedBy: call.caller.userID)
            return Answer.writing { writer in
                writer.beginArray()
                for entry in entries { entry.write(to: &writer) }
                writer.endArray()
            }
        }
        for path in ["/applications/@me", "/oauth2/applications/@me"] {
            routes.add(.get, path, access: .bot) { call in
                let entry = try await applications.find(ofBot: call.caller.userID)
                return Answer.writing { entry.write(to: &$0) }
            }
        }
        registerOne(in: routes)
        registerBot(in: routes)
        routes.add(.get, "/oauth2/authorize", access: .person) { try await describeAuthorization($0) }
        routes.add(.post, "/oauth2/authorize", access: .person, limit: .guildChange) { try await authorize($0) }
    }

    private func registerOne(in routes: RouteTable) {
        let path = "/applications/{application}"
        routes.add(.get, path, access: .person) { call in
            let entry = try await applications.find(call.id("application"), for: call.caller.userID)
            return Answer.writing { entry.write(to: &$0) }
        }
        routes.add(.patch, path, access: .person) { call in
            let entry = try await applications.update(
                call.id("application"), for: call.caller.userID, form(call))
            return Answer.writing { entry.write(to: &$0) }
        }
        routes.add(.delete, path, access: .person) { call in
            try await applications.delete(call.id("application"), for: call.caller.userID)
            return .noContent
        }
    }

    private func registerBot(in routes: RouteTable) {
        let path = "/applications/{application}/bot"
        for tokenPath in [path, path + "/reset"] {
            routes.add(.post, tokenPath, access: .person, limit: .applicationCreate) { call in
                let token = try await applications.newToken(call.id("application"), for: call.caller.userID)
                var answer = Answer.writing { writer in
                    writer.beginObject()
                    writer.field("token", token.text)
                    writer.endObject()
                }
                answer.headers[.cacheControl] = "no-store"
                return answer
            }
        }
        routes.add(.patch, path, access: .person) { call in
            let body = try await services.images.replaceImages(
                in: call.json(limit: ImageStore.bodyLimit), keys: ["avatar"])
            let bot = try await applications.updateBot(
                call.id("application"), for: call.caller.userID, BotForm.kept(of: body))
            return Answer.writing { bot.write(to: &$0) }
        }
    }

    private func form(_ call: Call) async throws -> ApplicationForm {
        let body = try await services.images.replaceImages(
            in: call.json(limit: ImageStore.bodyLimit), keys: ["icon"])
        return try ApplicationForm(body)
    }

    // MARK: Letting a bot in

    /// What a person is shown before they let a bot in.
    private func describeAuthorization(_ call: Call) async throws -> Answer {
        let caller = try call.caller.userID
        let entry = try await applications.find(toAuthorize: client(call), by: caller)
        guard let user = try await services.directory.user(caller) else { throw APIError.unauthorized }
        let guilds = try await boundedMap(try await services.directory.guilds(of: caller), width: 16) { guild in
            do {
                return try await services.guildReply(.summary(withCounts: false), on: guild, call).body
            } catch let error as APIError where error.status == 404 || error.status == 403 {
                return []
            }
        }
        return Answer.writing { writer in
            writer.beginObject()
            writer.key("application")
            entry.write(to: &writer)
            if let bot = entry.bot {
                writer.key("bot")
                bot.write(to: &writer)
            }
            writer.key("user")
            user.write(to: &writer)
            writer.key("guilds")
            writer.beginArray()
            for guild in guilds where !guild.isEmpty { writer.raw(guild) }
            writer.endArray()
            writer.field("authorized", false)
            writer.endObject()
        }
    }

    private func authorize(_ call: Call) async throws -> Answer {
        let caller = try call.caller.userID
        let entry = try await applications.find(toAuthorize: client(call), by: caller)
        let body = try await call.json()
        guard body["authorize"]?.boolValue ?? true else { return location("?error=access_denied") }
        let scopes = call.query["scope"]?.split(whereSeparator: { $0 == " " || $0 == "+" }) ?? []
        guard scopes.contains("bot") else { return location("") }
        guard let guild = body["guild_id"]?.snowflakeValue else {
            throw APIError.form(["guild_id"], code: "BASE_TYPE_REQUIRED", message: "This field is required")
        }
        let permissions = body["permissions"].flatMap { $0.isNull ? nil : $0 }
        guard let wanted = permissions.map({ Permissions(json: $0) }) ?? Permissions() else {
            throw APIError.form(
                ["permissions"], code: "NUMBER_TYPE_COERCE", message: "Value is not a set of permissions.")
        }
        try await applications.install(
            entry, in: guild, permissions: wanted, by: caller, reason: call.auditLogReason)
        return location("?guild_id=\(guild)&permissions=\(wanted.rawValue)")
    }

    private func client(_ call: Call) throws(APIError) -> ApplicationID {
        guard let id = try call.query.snowflake("client_id") else {
            throw .form(["client_id"], code: "BASE_TYPE_REQUIRED", message: "This field is required")
        }
        return id
    }

    private func location(_ query: String) -> Answer {
        Answer.writing { writer in
            writer.beginObject()
            writer.field("location", "/oauth2/authorized\(query)")
            writer.endObject()
        }
    }
}

/// What an owner may change of a bot's profile.
enum BotForm {
    /// `body` without everything else, so that a bot cannot be given what only people have.
    static func kept(of body: JSON) -> JSON {
        var kept = JSONObject()
        for key in ["username", "avatar"] {
            if let value = body[key] { kept[key] = value }
        }
        return .object(kept)
    }
}
