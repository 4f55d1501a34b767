import FluxCore
import FluxRealtime

/// Guilds and the list of their channels (protocol 5.4).
struct GuildRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let services = services
        routes.add(.post, "/guilds", access: .user, limit: .guildCreate) { call in
            let body = try await services.images.replaceImages(
                in: call.json(limit: ImageStore.bodyLimit), keys: ["icon"])
            return try await services.perform(.create, on: services.engine.mintID(), call, body: body)
        }
        routes.add(.get, "/guilds/{guild}", access: .user) { call in
            let withCounts = try call.query.flag("with_counts") ?? false
            return try await services.perform(.get(withCounts: withCounts), on: call.id("guild"), call)
        }
        routes.add(.patch, "/guilds/{guild}", access: .user, limit: .guildChange) { call in
            let body = try await services.images.replaceImages(
                in: call.json(limit: ImageStore.bodyLimit), keys: ["icon", "banner", "splash"])
            return try await services.perform(.update, on: call.id("guild"), call, body: body)
        }
        routes.add(.delete, "/guilds/{guild}", access: .user, limit: .guildChange) { call in
            try await services.perform(.delete, on: call.id("guild"), call)
        }
        routes.add(.post, "/guilds/{guild}/delete", access: .user, limit: .guildChange) { call in
            try await services.perform(.delete, on: call.id("guild"), call)
        }
        routes.add(.get, "/guilds/{guild}/channels", access: .user) { call in
            try await services.perform(.listChannels, on: call.id("guild"), call)
        }
        routes.add(.post, "/guilds/{guild}/channels", access: .user, limit: .guildChange) { call in
            try await services.perform(.createChannel, on: call.id("guild"), call, body: call.json())
        }
        routes.add(.patch, "/guilds/{guild}/channels", access: .user, limit: .guildChange) { call in
            try await services.perform(.reorderChannels, on: call.id("guild"), call, body: call.json())
        }
        // Neither threads nor regions exist; a member is told so, anybody else is refused like everywhere.
        routes.add(.get, "/guilds/{guild}/threads/active", access: .user) { call in
            _ = try await services.guildReply(.summary(withCounts: false), on: call.id("guild"), call)
            return .json(["threads": [], "members": []])
        }
        routes.add(.get, "/guilds/{guild}/regions", access: .user) { call in
            _ = try await services.guildReply(.summary(withCounts: false), on: call.id("guild"), call)
            return .json([])
        }
    }
}
