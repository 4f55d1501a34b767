import FluxCore
import FluxRealtime

/// Members and the roles they have (protocol 5.4).
struct MemberRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let services = services
        let path = "/guilds/{guild}/members"
        routes.add(.get, path, access: .user) { call in
            let limit = try call.query.integer("limit", in: 1...1_000) ?? 1
            let after = try call.query.snowflake("after")
            return try await services.perform(.listMembers(after: after, limit: limit), on: call.id("guild"), call)
        }
        routes.add(.get, path + "/search", access: .user) { call in
            let limit = try call.query.integer("limit", in: 1...1_000) ?? 1
            let query = call.query["query"] ?? ""
            return try await services.perform(.searchMembers(query: query, limit: limit), on: call.id("guild"), call)
        }
        routes.add(.get, path + "/{user}", access: .user) { call in
            try await services.perform(.member(call.userID()), on: call.id("guild"), call)
        }
        routes.add(.patch, path + "/{user}", access: .user, limit: .guildChange) { call in
            let body = try await services.images.replaceImages(
                in: call.json(limit: ImageStore.bodyLimit), keys: ["avatar", "banner"])
            let operation: GuildOperation =
                try call.text("user") == "@me" ? .updateOwnMember : .updateMember(call.userID())
            return try await services.perform(operation, on: call.id("guild"), call, body: body)
        }
        // discord.py still renames itself at this path.
        routes.add(.patch, path + "/{user}/nick", access: .user, limit: .guildChange) { call in
            guard try call.text("user") == "@me" else { throw APIError.notFound }
            return try await services.perform(.updateOwnMember, on: call.id("guild"), call, body: call.json())
        }
        routes.add(.delete, path + "/{user}", access: .user, limit: .guildChange) { call in
            try await services.perform(.kick(call.id("user")), on: call.id("guild"), call)
        }
        routes.add(.put, path + "/{user}/roles/{role}", access: .user, limit: .guildChange) { call in
            try await services.perform(.addRole(call.userID(), call.id("role")), on: call.id("guild"), call)
        }
        routes.add(.delete, path + "/{user}/roles/{role}", access: .user, limit: .guildChange) { call in
            try await services.perform(.removeRole(call.userID(), call.id("role")), on: call.id("guild"), call)
        }
    }
}
