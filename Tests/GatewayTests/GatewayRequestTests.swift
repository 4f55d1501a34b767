import FluxCore
import FluxRealtime
import NIOHTTP1
import Testing

@testable import FluxGateway

/// What a client may write into the upgrade request and the bodies of IDENTIFY and RESUME.
@Suite struct GatewayRequestTests {
    // MARK: The query

    @Test func theQueryOfTheLibraries() {
        let discord = GatewayQuery(uri: "/?encoding=json&v=10&compress=zlib-stream")
        #expect(discord.refusal == nil)
        #expect(discord.compression == .zlibStream)
        #expect(!discord.isBatched)
        let web = GatewayQuery(uri: "/gateway?v=9&encoding=json&batch=1")
        #expect(web.refusal == nil)
        #expect(web.compression == .none)
        #expect(web.isBatched)
        for uri in ["/", "/?", "/?v=10", "/?compress=zstd-stream", "/?a&b=&=c&&", "/?v=10&v=7", "/?batch=0"] {
            #expect(GatewayQuery(uri: uri).refusal == nil)
            #expect(GatewayQuery(uri: uri).compression == .none)
            #expect(!GatewayQuery(uri: uri).isBatched)
        }
    }

    @Test func wrongQueries() {
        #expect(GatewayQuery(uri: "/?v=8").refusal == .invalidVersion)
        #expect(GatewayQuery(uri: "/?v=").refusal == .invalidVersion)
        #expect(GatewayQuery(uri: "/?encoding=etf&v=10").refusal == .undecodable)
        #expect(GatewayQuery(uri: "/?encoding=etf&v=6").refusal == .invalidVersion)
    }

    // MARK: The handshake

    private func head(
        _ method: HTTPMethod = .GET, _ uri: String = "/?v=10", version: HTTPVersion = .http1_1,
        changing changes: [String: String?] = [:]
    ) -> HTTPRequestHead {
        var headers: HTTPHeaders = [
            "Host": "localhost", "Upgrade": "websocket", "Connection": "keep-alive, Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
        ]
        for (name, value) in changes {
            headers.remove(name: name)
            if let value { headers.add(name: name, value: value) }
        }
        return HTTPRequestHead(version: version, method: method, uri: uri, headers: headers)
    }

    @Test func theExampleOfTheRFC() {
        // Section 1.3.
        #expect(WebSocketHandshake(head()) == .accept(key: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        #expect(WebSocketHandshake(head(.GET, "/gateway")) == .accept(key: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        #expect(
            WebSocketHandshake(head(changing: ["Upgrade": "WebSocket", "Connection": "upgrade"]))
                == .accept(key: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    }

    @Test func ordinaryRequests() {
        #expect(WebSocketHandshake(head(.GET, "/api/v10/gateway")) == .notAsked)
        #expect(WebSocketHandshake(head(changing: ["Upgrade": nil])) == .notAsked)
        #expect(WebSocketHandshake(head(changing: ["Upgrade": "h2c"])) == .notAsked)
        #expect(WebSocketHandshake(head(.GET, "//")) == .notAsked)
    }

    @Test func brokenHandshakes() {
        #expect(WebSocketHandshake(head(.POST)) == .refuse(status: 400))
        #expect(WebSocketHandshake(head(version: .http1_0)) == .refuse(status: 400))
        #expect(WebSocketHandshake(head(changing: ["Connection": "keep-alive"])) == .refuse(status: 400))
        #expect(WebSocketHandshake(head(changing: ["Connection": nil])) == .refuse(status: 400))
        #expect(WebSocketHandshake(head(changing: ["Sec-WebSocket-Version": "8"])) == .refuse(status: 426))
        #expect(WebSocketHandshake(head(changing: ["Sec-WebSocket-Version": nil])) == .refuse(status: 426))
        for key in [
            nil, "", "short", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ==A", "dGhlIHNhbXBsZSBub25j!Q==",
        ] {
            #expect(WebSocketHandshake(head(changing: ["Sec-WebSocket-Key": key])) == .refuse(status: 400))
        }
    }

    // MARK: The cookie

    @Test func theCookieCountsOnlyFromOurPages() {
        func token(_ origin: String?, _ cookies: [String]) -> String? {
            GatewayClientOrigin(webOrigin: origin, cookies: cookies)
                .accessToken(publicOrigin: "https://chat.example")
        }
        #expect(token("https://chat.example", ["a=b; flux_access=x.y.z", "c=d"]) == "x.y.z")
        #expect(token("https://chat.example", ["flux_access=first", "flux_access=second"]) == "first")
        #expect(token("https://chat.example", ["xflux_access=no", "a=flux_access=no"]) == nil)
        #expect(token("https://evil.example", ["flux_access=x"]) == nil)
        #expect(token(nil, ["flux_access=x"]) == nil)
        #expect(token("https://chat.example", []) == nil)
    }

    // MARK: IDENTIFY and RESUME

    private func identify(_ text: String) throws(SessionRefusal) -> IdentifyPayload {
        guard let json = try? JSON.parse(Array(text.utf8)) else { throw .close(.unknownError) }
        return try IdentifyPayload(json)
    }

    private let bot = GatewayIdentity(userID: UserID(1), isBot: true, loginID: nil)
    private let person = GatewayIdentity(userID: UserID(2), isBot: false, loginID: nil)

    @Test func whatTheLibrariesSend() throws {
        let payload = try identify(
            #"{"token":"Bot abc","properties":{"os":"linux"},"intents":3243773,"large_threshold":250,"shard":[0,1],"compress":true,"presence":{"status":"online","afk":false,"since":null,"activities":[]}}"#
        )
        #expect(payload.token == "abc")
        let request = try payload.request(as: bot)
        #expect(request.intents == Intents(rawValue: 3_243_773))
        #expect(request.largeThreshold == 250)
        #expect(request.shard?.index == 0 && request.shard?.count == 1)
        #expect(request.presence?["status"] == "online")
    }

    @Test func whatAPersonMayLeaveOut() throws {
        let payload = try identify(#"{"token":null,"presence":null,"shard":null,"intents":null}"#)
        #expect(payload.token == nil)
        let request = try payload.request(as: person)
        #expect(request.intents == .all)
        #expect(request.largeThreshold == 50)
        #expect(request.shard == nil)
        #expect(request.presence == nil)
        #expect(throws: SessionRefusal.close(.invalidIntents)) { try payload.request(as: bot) }
        #expect(try identify(#"{"large_threshold":99999}"#).largeThreshold == 250)
        #expect(try identify(#"{"large_threshold":"x"}"#).largeThreshold == 50)
    }

    @Test(arguments: [
        ("[]", GatewayCloseCode.undecodable), ("null", .undecodable), (#"{"token":5}"#, .undecodable),
        (#"{"token":"a","intents":"5"}"#, .invalidIntents), (#"{"token":"a","intents":-1}"#, .invalidIntents),
        (#"{"token":"a","intents":1.5}"#, .invalidIntents), (#"{"token":"a","shard":[1,1]}"#, .invalidShard),
        (#"{"token":"a","shard":[0]}"#, .invalidShard), (#"{"token":"a","shard":[0,0]}"#, .invalidShard),
        (#"{"token":"a","shard":"0,1"}"#, .invalidShard), (#"{"token":"a","shard":[-1,2]}"#, .invalidShard),
    ])
    func wrongIdentifies(text: String, code: GatewayCloseCode) {
        #expect(throws: SessionRefusal.close(code)) { try identify(text) }
    }

    @Test func unknownIntentsAreRefused() throws {
        let payload = try identify(#"{"token":"a","intents":18014398509481984}"#)
        #expect(throws: SessionRefusal.close(.invalidIntents)) { try payload.request(as: bot) }
    }

    @Test func resumes() throws {
        func resume(_ text: String) throws(SessionRefusal) -> ResumePayload {
            guard let json = try? JSON.parse(Array(text.utf8)) else { throw .close(.unknownError) }
            return try ResumePayload(json)
        }
        let payload = try resume(#"{"token":"Bearer t","session_id":"00ff","seq":17}"#)
        #expect(payload.token == "t")
        #expect(payload.sessionIdentifier == "00ff")
        #expect(payload.sequence == 17)
        #expect(try resume(#"{"token":null,"session_id":"x","seq":null}"#).sequence == 0)
        #expect(throws: SessionRefusal.close(.invalidSequence)) { try resume(#"{"session_id":"x","seq":-1}"#) }
        #expect(throws: SessionRefusal.close(.undecodable)) { try resume(#"{"session_id":"x","seq":"1"}"#) }
        #expect(throws: SessionRefusal.close(.undecodable)) { try resume(#"{"seq":1}"#) }
        #expect(throws: SessionRefusal.close(.undecodable)) { try resume("7") }
    }
}
