import FluxCore
import FluxRealtime

/// Reactions (protocol 5.6).
struct ReactionRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let services = services
        let path = "/channels/{channel}/messages/{message}/reactions"
        routes.add(.put, path + "/{emoji}/{user}", access: .user, limit: .reaction) { call in
            guard try call.text("user") == "@me" else { throw APIError.notFound }
            return try await services.perform(
                .addReaction(call.id("message"), emoji(of: call)), on: call.id("channel"), call)
        }
        routes.add(.delete, path + "/{emoji}/{user}", access: .user, limit: .reaction) { call in
            try await services.perform(
                .removeReaction(call.id("message"), emoji(of: call), call.userID()), on: call.id("channel"), call)
        }
        routes.add(.get, path + "/{emoji}", access: .user) { call in
            let operation = ChannelOperation.listReactions(
                try call.id("message"), try emoji(of: call), after: try call.query.snowflake("after"),
                limit: try call.query.integer("limit", in: 1...100) ?? 25)
            return try await services.perform(operation, on: call.id("channel"), call)
        }
        routes.add(.delete, path + "/{emoji}", access: .user, limit: .reaction) { call in
            try await services.perform(
                .clearReactions(call.id("message"), emoji(of: call)), on: call.id("channel"), call)
        }
        routes.add(.delete, path, access: .user, limit: .reaction) { call in
            try await services.perform(.clearReactions(call.id("message"), nil), on: call.id("channel"), call)
        }
    }

    private func emoji(of call: Call) throws(APIError) -> Emoji {
        guard let emoji = Emoji(pathSegment: try call.text("emoji")) else { throw .unknownEmoji }
        return emoji
    }
}
