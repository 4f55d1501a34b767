import FluxCore
import FluxRealtime

/// Pinned messages, at their new paths and the old ones (protocol 5.5).
struct PinRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let services = services
        routes.add(.get, "/channels/{channel}/messages/pins", access: .user) { call in
            let limit = try call.query.integer("limit", in: 1...50) ?? 50
            var before: Timestamp?
            if let text = call.query["before"] {
                before = Timestamp(iso8601: text)
                if before == nil {
                    throw APIError.form(["before"], code: "DATE_TIME_TYPE_PARSE", message: "Not a valid ISO 8601 time.")
                }
            }
            return try await services.perform(
                .pins(before: before, limit: limit, legacy: false), on: call.id("channel"), call)
        }
        routes.add(.get, "/channels/{channel}/pins", access: .user) { call in
            try await services.perform(.pins(before: nil, limit: 50, legacy: true), on: call.id("channel"), call)
        }
        for path in ["/channels/{channel}/messages/pins/{message}", "/channels/{channel}/pins/{message}"] {
            routes.add(.put, path, access: .user, limit: .messageChange) { call in
                try await services.perform(.pin(call.id("message")), on: call.id("channel"), call)
            }
            routes.add(.delete, path, access: .user, limit: .messageChange) { call in
                try await services.perform(.unpin(call.id("message")), on: call.id("channel"), call)
            }
        }
    }
}
