import FluxAPI
import FluxCore
import FluxRealtime
import FluxSecurity
import Testing

/// What libraries read of limits (protocol 3.6), seen from a socket.
@Suite struct RateLimitHeaderTests {
    @Test func everyAnswerOfALimitedRouteCarriesItsBucket() async throws {
        let engine = FakeEngine { command in
            if case .channel(let command, _) = command, command.operation == .delete(9) {
                throw APIError.unknownMessage
            }
            return .nothing
        }
        try await TestNode.run(engine: engine, limits: RateLimitConfiguration()) { node in
            let path = "/api/v10/channels/5/messages/8"
            let first = try await node.client.send("DELETE", path)
            #expect(first.status == 204)
            #expect(first["x-ratelimit-limit"] == "50")
            #expect(first["x-ratelimit-remaining"] == "49")
            #expect(try #require(Double(first["x-ratelimit-reset-after"] ?? "")) > 0.001)
            #expect(try #require(Double(first["x-ratelimit-reset"] ?? "")) > 1_700_000_000)
            let bucket = try #require(first["x-ratelimit-bucket"])
            // A refusal is an answer too, and another channel has its own tokens in the same bucket.
            let refused = try await node.client.send("DELETE", "/api/v10/channels/5/messages/9")
            #expect(refused.status == 404)
            #expect(refused["x-ratelimit-remaining"] == "48")
            let elsewhere = try await node.client.send("DELETE", "/api/v10/channels/6/messages/8")
            #expect(elsewhere["x-ratelimit-remaining"] == "49")
            #expect(elsewhere["x-ratelimit-bucket"] == bucket)
            let unlimited = try await node.client.send("GET", "/api/v10/channels/5")
            #expect(!unlimited.fields.contains { $0.name.lowercased().hasPrefix("x-ratelimit") })
        }
    }

    @Test func anEmptyBucketAnswers429WithEverythingThatLibrariesNeed() async throws {
        let rules: [RateLimitBucket: RateLimitConfiguration.Rule] = [.typing: .init(tokens: 2, seconds: 60)]
        try await TestNode.run(limits: RateLimitConfiguration(rules: rules)) { node in
            for _ in 0..<2 { #expect(try await node.client.send("POST", "/api/v10/channels/5/typing").status == 204) }
            let answer = try await node.client.send("POST", "/api/v10/channels/5/typing")
            #expect(answer.status == 429)
            #expect(answer["via"] == "1.1 flux")
            #expect(answer["x-ratelimit-remaining"] == "0")
            #expect(answer["x-ratelimit-scope"] == "user")
            #expect(answer["x-ratelimit-bucket"] != nil)
            #expect(answer["x-ratelimit-global"] == nil)
            let after = try #require(Double(answer["x-ratelimit-reset-after"] ?? ""))
            let whole = try #require(Int(answer["retry-after"] ?? ""))
            #expect(Double(whole) >= after)
            let body = try JSON.parse(answer.body)
            #expect(body["global"]?.boolValue == false)
            #expect(try #require(body["retry_after"]?.doubleValue) <= 60)
            #expect(node.engine.commands.count == 2)
        }
    }

    @Test func theGlobalLimitSaysSo() async throws {
        let limits = RateLimitConfiguration(global: .init(tokens: 3, seconds: 60))
        try await TestNode.run(limits: limits) { node in
            for channel in 1...3 {
                #expect(try await node.client.send("GET", "/api/v10/channels/\(channel)").status == 204)
            }
            let answer = try await node.client.send("GET", "/api/v10/channels/4")
            #expect(answer.status == 429)
            #expect(answer["x-ratelimit-global"] == "true")
            #expect(answer["x-ratelimit-scope"] == "global")
            #expect(try JSON.parse(answer.body)["global"]?.boolValue == true)
            #expect(try await node.client.send("GET", "/api/v10/channels/4", as: "person 8").status == 204)
        }
    }

    @Test func limitsByAddressSpareThisMachineAndFollowTrustedProxies() async throws {
        let rules: [RateLimitBucket: RateLimitConfiguration.Rule] = [.login: .init(tokens: 1, seconds: 60)]
        try await TestNode.run(
            limits: RateLimitConfiguration(rules: rules), trustedProxies: try #require(TrustedProxies(["127.0.0.1"])),
            routes: { table in table.add(.post, "/auth/test", access: .anyone, limit: .login) { _ in .noContent } },
            { node in
                for _ in 0..<3 {
                    let own = try await node.client.send("POST", "/api/v10/auth/test", as: nil)
                    #expect(own.status == 204)
                }
                func from(_ address: String) async throws -> Int {
                    try await node.client.send("POST", "/api/v10/auth/test", as: nil, [("x-forwarded-for", address)])
                        .status
                }
                #expect(try await from("203.0.113.1") == 204)
                #expect(try await from("203.0.113.1") == 429)
                #expect(try await from("203.0.113.2") == 204)
                #expect(try await from("2001:db8::1") == 204)
                #expect(try await from("2001:db8::2") == 429)
            })
    }

    @Test func refusalsOfActorsByRateAreShared() async throws {
        let engine = FakeEngine { _ in throw APIError.rateLimited(retryAfter: 4.2) }
        try await TestNode.run(engine: engine, limits: RateLimitConfiguration()) { node in
            let answer = try await node.client.send("POST", "/api/v10/channels/5/messages", json: "{}")
            #expect(answer.status == 429)
            #expect(answer["retry-after"] == "5")
            #expect(answer["x-ratelimit-scope"] == "shared")
            #expect(answer["x-ratelimit-bucket"] != nil)
            #expect(try JSON.parse(answer.body)["retry_after"]?.doubleValue == 4.2)
        }
    }

    @Test func bucketsAreToldApart() {
        #expect(Set(RateLimitBucket.allCases.map(\.rawValue)).count == RateLimitBucket.allCases.count)
        #expect(Set(RateLimitBucket.allCases.map(\.name)).count == RateLimitBucket.allCases.count)
        #expect(Set(RateLimitConfiguration.defaultRules.keys) == Set(RateLimitBucket.allCases))
    }
}
