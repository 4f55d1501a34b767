import FluxCore
import FluxRealtime

/// Friends, requests and blocks (protocol 5.3, 9.1).
struct RelationshipRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let services = services
        let path = "/users/@me/relationships"
        routes.add(.get, path, access: .person) { try await services.perform(.listRelationships, $0) }
        routes.add(.post, path, access: .person, limit: .friendRequest) { call in
            let body = try await call.json()
            guard let name = body["username"]?.stringValue, !name.isEmpty else {
                throw APIError.form(["username"], code: "BASE_TYPE_REQUIRED", message: "This field is required")
            }
            // No column holds a NUL, and so no account has such a name.
            guard !name.utf8.contains(0), let peer = try await services.directory.user(named: name.lowercased()) else {
                throw APIError.friendRequestUnknownUser
            }
            return try await services.perform(.requestFriend(peer.id), call, body: body)
        }
        routes.add(.put, path + "/{user}", access: .person, limit: .friendRequest) { call in
            try await services.perform(.setRelationship(call.id("user")), call, body: call.json())
        }
        routes.add(.patch, path + "/{user}", access: .person) { call in
            try await services.perform(.updateRelationship(call.id("user")), call, body: call.json())
        }
        routes.add(.delete, path + "/{user}", access: .person) { call in
            try await services.perform(.removeRelationship(call.id("user")), call)
        }
    }
}
