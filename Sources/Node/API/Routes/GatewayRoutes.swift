import FluxCore

/// Where the gateway is (protocol 5.7), and the voice regions that there are none of.
struct GatewayRoutes {
    let services: Services

    func register(in routes: RouteTable) {
        let url = services.gatewayURL
        routes.add(.get, "/gateway", access: .anyone) { _ in .json(["url": .string(url)]) }
        routes.add(.get, "/gateway/bot", access: .bot) { _ in
            // The starts of sessions are paced by the gateway itself, so the budget is never used up. hikari needs all keys.
            .json([
                "url": .string(url), "shards": 1,
                "session_start_limit": [
                    "total": 1_000, "remaining": 1_000, "reset_after": 0, "max_concurrency": 16,
                ],
            ])
        }
        routes.add(.get, "/voice/regions", access: .user) { _ in .json([]) }
    }
}
