import FluxCore
import FluxRealtime

/// Bans (protocol 5.4).
struct BanRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let services = services
        let path = "/guilds/{guild}/bans"
        routes.add(.get, path, access: .user) { call in
            let operation = GuildOperation.listBans(
                before: try call.query.snowflake("before"), after: try call.query.snowflake("after"),
                limit: try call.query.integer("limit", in: 1...1_000) ?? 1_000)
            return try await services.perform(operation, on: call.id("guild"), call)
        }
        routes.add(.get, path + "/{user}", access: .user) { call in
            try await services.perform(.getBan(call.id("user")), on: call.id("guild"), call)
        }
        routes.add(.put, path + "/{user}", access: .user, limit: .guildChange) { call in
            try await services.perform(.ban(call.id("user")), on: call.id("guild"), call, body: call.json())
        }
        routes.add(.delete, path + "/{user}", access: .user, limit: .guildChange) { call in
            try await services.perform(.unban(call.id("user")), on: call.id("guild"), call)
        }
    }
}
