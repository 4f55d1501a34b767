import FluxCore
import FluxRealtime

/// A user's conversations outside of guilds (protocol 5.2).
struct DirectMessageRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let services = services
        routes.add(.get, "/users/@me/channels", access: .person) { call in
            try await services.perform(.listDirectMessages, call)
        }
        routes.add(.post, "/users/@me/channels", access: .user) { call in
            try await services.perform(.openDirectMessage, call, body: call.json())
        }
    }
}
