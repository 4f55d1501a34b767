import FluxCore
import FluxRealtime

/// What a person has read (protocol 5.3, 9.2), and what others have read of a conversation (10.3).
struct ReadStateRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let services = services
        routes.add(.post, "/channels/{channel}/messages/{message}/ack", access: .person, limit: .acknowledge) { call in
            try await services.perform(
                .acknowledge(call.id("channel"), call.id("message")), call, body: call.json())
        }
        routes.add(.post, "/read-states/ack-bulk", access: .person, limit: .acknowledge) { call in
            try await services.perform(.acknowledgeMany, call, body: call.json())
        }
        routes.add(.get, "/channels/{channel}/receipts", access: .person) { call in
            try await services.perform(.receipts(call.id("channel")), call)
        }
    }
}
