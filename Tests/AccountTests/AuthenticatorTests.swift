import FluxCore
import FluxStore
import HTTPTypes
import Testing

@testable import FluxAPI
@testable import FluxSecurity

/// Protocol 3.4 and the rules of 10.1 about whose word counts.
@Suite(.serialized, .timeLimit(.minutes(10))) struct AuthenticatorTests {
    private static func cookie(_ answer: TestAnswer) -> (HTTPField.Name, String) {
        (.cookie, "a=b; flux_access=\(answer.cookie("flux_access") ?? ""); c=d")
    }

    @Test func takesATokenWithAndWithoutItsScheme() async throws {
        let node = try await AccountNode.start()
        let token = try #require(try await node.register("ada").json["token"]?.stringValue)
        for header in [token, "Bearer \(token)", "bearer  \(token)"] {
            #expect(try await node.get("/auth/sessions", [(.authorization, header)]).status == 200)
        }
        for header in ["", "Bearer", "Bearer ", "Basic \(token)", "Bot \(token)", token + "x", "Bearer \(token) x"] {
            let answer = try await node.get("/auth/sessions", [(.authorization, header)])
            #expect(answer.status == 401, "\(header)")
            #expect(answer.json == ["message": "401: Unauthorized", "code": 0])
        }
        #expect(try await node.get("/auth/sessions").status == 401)
    }

    @Test func accessTokensEndAfterFifteenMinutesAlsoWhenTheyWereSeenBefore() async throws {
        let node = try await AccountNode.start()
        let session = try await node.register("ada")
        node.clock.advance(seconds: 899)
        #expect(try await node.get("/auth/sessions", AccountNode.bearing(session)).status == 200)
        node.clock.advance(seconds: 1 + AccessClaims.clockSkewSeconds)
        #expect(try await node.get("/auth/sessions", AccountNode.bearing(session)).status == 401)
    }

    @Test func theHeaderWinsOverTheCookie() async throws {
        let node = try await AccountNode.start()
        let ada = try await node.register("ada")
        let eve = try await node.register("eve")
        let both = try await node.get("/auth/sessions", AccountNode.bearing(eve) + [Self.cookie(ada)])
        let eves = try await node.get("/auth/sessions", AccountNode.bearing(eve))
        #expect(both.status == 200)
        #expect(both.json == eves.json)
        // A bad header is not made good by a cookie.
        #expect(try await node.get("/auth/sessions", [(.authorization, "x"), Self.cookie(ada)]).status == 401)
    }

    @Test func writesByCookieNeedOurOrigin() async throws {
        let node = try await AccountNode.start()
        let rules: [(fields: [(HTTPField.Name, String)], isOurs: Bool)] = [
            ([(.origin, "https://chat.example")], true),
            ([(.origin, "https://CHAT.example")], true),
            ([], true),
            ([(.secFetchSite, "same-origin")], true),
            ([(.secFetchSite, "none")], true),
            ([(.secFetchSite, "cross-site")], false),
            ([(.origin, "https://evil.example")], false),
            ([(.origin, "http://chat.example")], false),
            ([(.origin, "https://chat.example.evil.example")], false),
            ([(.origin, "https://chat.example:8443")], false),
            ([(.origin, "null")], false),
            ([(.origin, "")], false),
        ]
        for (index, rule) in rules.enumerated() {
            let session = try await node.register("person\(index)")
            let read = try await node.get("/auth/sessions", [Self.cookie(session)] + rule.fields)
            #expect(read.status == 200)
            let write = try await node.post("/auth/logout", [:], [Self.cookie(session)] + rule.fields)
            #expect(write.status == (rule.isOurs ? 204 : 403), "\(rule.fields)")
            guard !rule.isOurs else { continue }
            #expect(write.code == 40333)
            // With the header the origin does not matter.
            let header = AccountNode.bearing(session)
            #expect(try await node.post("/auth/logout", [:], header + rule.fields).status == 204)
        }
    }

    @Test func aForeignPageCannotLogABrowserIn() async throws {
        let node = try await AccountNode.start()
        _ = try await node.register("ada")
        let foreign = [(HTTPField.Name.origin, "https://evil.example")]
        let login = try await node.post("/auth/login", ["login": "ada", "password": "correct horse"], foreign)
        #expect(login.status == 403)
        #expect(login.cookies.isEmpty)
        let registration = try await node.post(
            "/auth/register", ["username": "eve", "password": "correct horse"], foreign)
        #expect(registration.code == 40333)
    }

    @Test func everyNodeChecksWhatAnotherSigned() async throws {
        let node = try await AccountNode.start()
        let peer = try await node.peer()
        let session = try await node.register("ada")
        #expect(try await peer.get("/auth/sessions", AccountNode.bearing(session)).status == 200)
    }

    @Test func aKeyThatANodeHasNotHeardOfIsLookedUp() async throws {
        let node = try await AccountNode.start()
        let peer = try await node.peer()
        // Weeks later one of them is the first to need a new key; the other has not read the store since.
        node.clock.advance(seconds: 13 * 86400)
        try await node.system.refresh()
        node.clock.advance(seconds: 3600)
        let session = try await node.register("ada")
        #expect(try await peer.get("/auth/sessions", AccountNode.bearing(session)).status == 200)
    }

    @Test func aNodeThatStartsLaterKnowsWhatEndedBefore() async throws {
        let node = try await AccountNode.start()
        let session = try await node.register("ada")
        node.clock.advance(seconds: 60)
        #expect(try await node.post("/auth/logout", [:], AccountNode.bearing(session)).status == 204)
        node.clock.advance(seconds: 300)
        let late = try await node.peer()
        #expect(try await late.get("/auth/sessions", AccountNode.bearing(session)).status == 401)
    }

    @Test func endedLoginsAreForgottenWhenTheirTokensAreOutOfDate() async throws {
        let node = try await AccountNode.start()
        let ended = EndedLogins(logins: Logins(node.database), now: { [clock = node.clock] in clock.now })
        for index in 0..<5 {
            let session = try await node.register("person\(index)")
            _ = try await node.post("/auth/logout", [:], AccountNode.bearing(session))
        }
        try await ended.refresh()
        #expect(ended.count == 5)
        node.clock.advance(seconds: 900)
        try await ended.refresh()
        #expect(ended.count == 5)
        node.clock.advance(seconds: 60)
        try await ended.refresh()
        #expect(ended.count == 0)
    }

    @Test func noHeaderBreaksTheAuthenticator() async throws {
        let node = try await AccountNode.start()
        let token = try #require(try await node.register("ada").json["token"]?.stringValue)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            var bytes = Array(token.utf8)
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 33...126, using: &generator)
            let text = String(decoding: bytes, as: UTF8.self)
            guard text != token else { continue }
            #expect(try await node.system.authenticator.identity(forToken: text) == nil)
        }
    }
}

@Suite struct PublicOriginTests {
    @Test(arguments: [
        ("https://chat.example", "https://chat.example", true),
        ("https://Chat.Example/", "https://chat.example", true),
        ("https://chat.example:443/app?x#y", "https://chat.example", true),
        ("https://chat.example:8443", "https://chat.example:8443", true),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", false),
        ("http://chat.example:80", "http://chat.example", false),
        ("http://[::1]:8080/", "http://[::1]:8080", false),
    ])
    func isWrittenAsBrowsersWriteIt(url: String, text: String, isSecure: Bool) {
        let origin = PublicOrigin(url: url)
        #expect(origin.text == text)
        #expect(origin.isSecure == isSecure)
    }
}

@Suite struct GenerationCacheTests {
    @Test func keepsWhatIsAskedForWithinItsBound() {
        var cache = GenerationCache<Int, Int>(generationLimit: 10)
        for key in 0..<1000 {
            cache.insert(key, for: key)
            #expect(cache.find(0) == 0)
            #expect(cache.find(key) == key)
            #expect(cache.count <= 20)
        }
        #expect(cache.find(500) == nil)
        cache.remove(0)
        #expect(cache.find(0) == nil)
    }
}
