import FluxCore
import FluxRealtime

/// Roles (protocol 5.4).
struct RoleRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let services = services
        let path = "/guilds/{guild}/roles"
        routes.add(.get, path, access: .user) { call in
            try await services.perform(.listRoles, on: call.id("guild"), call)
        }
        routes.add(.post, path, access: .user, limit: .guildChange) { call in
            let body = try await services.images.replaceImages(
                in: call.json(limit: ImageStore.bodyLimit), keys: ["icon"])
            return try await services.perform(.createRole, on: call.id("guild"), call, body: body)
        }
        routes.add(.patch, path, access: .user, limit: .guildChange) { call in
            try await services.perform(.reorderRoles, on: call.id("guild"), call, body: call.json())
        }
        routes.add(.patch, path + "/{role}", access: .user, limit: .guildChange) { call in
            let body = try await services.images.replaceImages(
                in: call.json(limit: ImageStore.bodyLimit), keys: ["icon"])
            return try await services.perform(.updateRole(call.id("role")), on: call.id("guild"), call, body: body)
        }
        routes.add(.delete, path + "/{role}", access: .user, limit: .guildChange) { call in
            try await services.perform(.deleteRole(call.id("role")), on: call.id("guild"), call)
        }
    }
}
