import FluxCore
import FluxStore
import HTTPTypes
import Testing

@testable import FluxAPI
@testable import FluxSecurity

/// Protocol 10.1: logging in, refreshing, logging out.
@Suite(.serialized, .timeLimit(.minutes(10))) struct LoginTests {
    private static func refresh(_ answer: TestAnswer) -> JSON {
        ["refresh_token": answer.json["refresh_token"] ?? .null]
    }

    @Test func byNameOrAddressInAnyCase() async throws {
        let node = try await AccountNode.start()
        let body: JSON = ["username": "ada", "password": "correct horse", "email": "Ada@example.org"]
        let registered = try await node.post("/auth/register", body)
        for login in ["ada", "ADA", "ada@example.org", "ADA@EXAMPLE.ORG"] {
            let answer = try await node.post(
                "/auth/login", ["login": .string(login), "password": "correct horse"])
            #expect(answer.status == 200)
            #expect(answer.json["user"]?["id"] == registered.json["user"]?["id"])
            #expect(answer.cookies.count == 2)
            #expect(answer.json["token"] == nil)
        }
    }

    @Test func wrongPasswordAndUnknownUserLookTheSame() async throws {
        let node = try await AccountNode.start()
        _ = try await node.register("ada")
        let wrong = try await node.post("/auth/login", ["login": "ada", "password": "wrong horse"])
        let unknown = try await node.post("/auth/login", ["login": "eve", "password": "correct horse"])
        let long = try await node.post(
            "/auth/login", ["login": "ada", "password": .string(String(repeating: "x", count: 100_000))])
        for answer in [wrong, unknown, long] {
            #expect(answer.status == 401)
            #expect(answer.json == ["message": "401: Unauthorized", "code": 0])
            #expect(answer.cookies.isEmpty)
        }
        let empty = try await node.post("/auth/login", [:])
        #expect(empty.complaint("login") == "BASE_TYPE_REQUIRED")
        #expect(empty.complaint("password") == "BASE_TYPE_REQUIRED")
    }

    /// No column holds a NUL: it is the form that is refused, and no statement fails.
    @Test func textWithNULIsRefusedByField() async throws {
        let node = try await AccountNode.start()
        let login = try await node.post("/auth/login", ["login": "a\u{0}b", "password": "correct\u{0}horse"])
        #expect(login.complaint("login") == "BASE_TYPE_INVALID")
        #expect(login.complaint("password") == "BASE_TYPE_INVALID")
        let registration = try await node.post(
            "/auth/register",
            [
                "username": "ad\u{0}a", "password": "correct horse", "global_name": "A\u{0}",
                "email": "a\u{0}@b.example",
                "invite": "\u{0}",
            ])
        for field in ["username", "global_name", "email", "invite"] {
            #expect(registration.complaint(field) == "BASE_TYPE_INVALID", "\(field)")
        }
        #expect(try await node.post("/auth/refresh", ["refresh_token": "\u{0}"]).status == 401)
    }

    @Test func anOldHashIsReplacedAtTheNextLogin() async throws {
        let node = try await AccountNode.start()
        let answer = try await node.register("ada")
        let id = try #require(answer.json["user"]?["id"]?.snowflakeValue)
        let other = PasswordHasher(parameters: .init(memoryKibibytes: 128, passes: 1, lanes: 1), threads: 1)
        let accounts = Accounts(node.database)
        try await accounts.setPassword(hash: other.hash("correct horse"), of: id, at: node.clock.now)
        #expect(
            try await node.post("/auth/login", ["login": "ada", "password": "correct horse"]).status == 200)
        let stored = try #require(try await accounts.passwordHash(of: id))
        #expect(stored.contains("m=64,"))
        #expect(
            try await node.post("/auth/login", ["login": "ada", "password": "correct horse"]).status == 200)
    }

    @Test func refreshByBodyGivesANewPairAndNoCookies() async throws {
        let node = try await AccountNode.start()
        let first = try await node.register("ada")
        let second = try await node.post("/auth/refresh", Self.refresh(first))
        #expect(second.status == 200)
        #expect(second.cookies.isEmpty)
        #expect(second.json["refresh_token"] != first.json["refresh_token"])
        #expect(second.json["user"]?["username"] == "ada")
        let token = try #require(second.json["token"]?.stringValue)
        let other = try #require(first.json["token"]?.stringValue)
        let authenticator = node.system.authenticator
        let identity = try #require(try await authenticator.identity(forToken: token))
        #expect(try await authenticator.identity(forToken: other) == identity)
    }

    @Test func refreshByCookieSetsCookiesAndShowsNoTokens() async throws {
        let node = try await AccountNode.start()
        let first = try await node.register("ada")
        let cookie = "theme=dark; flux_refresh=\(try #require(first.cookie("flux_refresh")))"
        let second = try await node.post(
            "/auth/refresh", [:], [(.cookie, cookie), (.origin, AccountNode.publicURL)])
        #expect(second.status == 200)
        #expect(second.json["token"] == nil)
        #expect(second.json["refresh_token"] == nil)
        #expect(second.cookies.count == 2)
        #expect(second.cookie("flux_refresh") != first.cookie("flux_refresh"))
        let foreign = try await node.post(
            "/auth/refresh", [:], [(.cookie, cookie), (.origin, "https://evil.example")])
        #expect(foreign.status == 403)
        #expect(foreign.code == 40333)
    }

    @Test func theOldTokenWithinTenSecondsIsAConflictAndEndsNothing() async throws {
        let node = try await AccountNode.start()
        let first = try await node.register("ada")
        let second = try await node.post("/auth/refresh", Self.refresh(first))
        node.clock.advance(seconds: 9)
        #expect(try await node.post("/auth/refresh", Self.refresh(first)).status == 409)
        #expect(node.revoker.revocations.isEmpty)
        #expect(try await node.post("/auth/refresh", Self.refresh(second)).status == 200)
        #expect(try await node.get("/auth/sessions", AccountNode.bearing(second)).status == 200)
    }

    @Test func theOldTokenLaterEndsTheWholeLogin() async throws {
        let node = try await AccountNode.start()
        let peer = try await node.peer()
        let first = try await node.register("ada")
        let elsewhere = try await node.post(
            "/auth/login", ["login": "ada", "password": "correct horse", "return_token": true])
        let second = try await node.post("/auth/refresh", Self.refresh(first))
        let third = try await node.post("/auth/refresh", Self.refresh(second))
        node.clock.advance(seconds: 11)
        #expect(try await peer.get("/auth/sessions", AccountNode.bearing(third)).status == 200)
        // An older one than the last used counts too.
        #expect(try await node.post("/auth/refresh", Self.refresh(first)).status == 401)
        #expect(node.revoker.revocations.count == 1)
        for answer in [first, second, third] {
            #expect(try await node.get("/auth/sessions", AccountNode.bearing(answer)).status == 401)
            #expect(try await node.post("/auth/refresh", Self.refresh(answer)).status == 401)
        }
        // Other nodes hear of it with their next reading; another login of the same person goes on.
        try await peer.system.refresh()
        #expect(try await peer.get("/auth/sessions", AccountNode.bearing(third)).status == 401)
        #expect(try await peer.get("/auth/sessions", AccountNode.bearing(elsewhere)).status == 200)
    }

    @Test func ofManyRefreshesAtOnceOneSucceedsAndTheOthersConflict() async throws {
        let node = try await AccountNode.start()
        let first = try await node.register("ada")
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<6 { group.addTask { try await node.post("/auth/refresh", Self.refresh(first)).status } }
            return try await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(statuses.sorted() == [200, 409, 409, 409, 409, 409])
    }

    @Test func refreshTokensEndAfterThirtyDays() async throws {
        let node = try await AccountNode.start()
        let first = try await node.register("ada")
        node.clock.advance(seconds: 30 * 86400 - 1)
        try await node.system.refresh()
        let second = try await node.post("/auth/refresh", Self.refresh(first))
        #expect(second.status == 200)
        node.clock.advance(seconds: 30 * 86400 + 1)
        try await node.system.refresh()
        #expect(try await node.post("/auth/refresh", Self.refresh(second)).status == 401)
    }

    @Test func aBadRefreshTokenIs401AndABadCookieIsForgotten() async throws {
        let node = try await AccountNode.start()
        for text in ["", "x", String(repeating: "A", count: 43), String(repeating: "A", count: 5000)] {
            #expect(try await node.post("/auth/refresh", ["refresh_token": .string(text)]).status == 401)
        }
        #expect(try await node.post("/auth/refresh", ["refresh_token": 7]).status == 400)
        #expect(try await node.post("/auth/refresh", [:]).status == 401)
        let cookie = "flux_refresh=\(String(repeating: "A", count: 43))"
        let answer = try await node.post("/auth/refresh", [:], [(.cookie, cookie)])
        #expect(answer.status == 401)
        #expect(answer.cookies.count == 2)
        #expect(answer.cookies.allSatisfy { $0.contains("=; ") && $0.contains("Max-Age=0") })
    }

    @Test func logoutEndsTheLoginEverywhere() async throws {
        let node = try await AccountNode.start()
        let peer = try await node.peer()
        let session = try await node.register("ada")
        let token = try #require(session.json["token"]?.stringValue)
        let identity = try #require(try await node.system.authenticator.identity(forToken: token))
        let answer = try await node.post("/auth/logout", [:], AccountNode.bearing(session))
        #expect(answer.status == 204)
        #expect(answer.cookies.count == 2)
        #expect(answer.cookies.allSatisfy { $0.contains("Max-Age=0") })
        #expect(
            node.revoker.revocations == [.login(try #require(identity.loginID), identity.userID)])
        #expect(try await node.get("/auth/sessions", AccountNode.bearing(session)).status == 401)
        #expect(try await node.post("/auth/refresh", Self.refresh(session)).status == 401)
        #expect(try await node.system.authenticator.identity(forToken: token) == nil)
        try await peer.system.refresh()
        #expect(try await peer.system.authenticator.identity(forToken: token) == nil)
    }

    @Test func anyLoginCanBeEndedHoweverManyThereAre() async throws {
        let node = try await AccountNode.start()
        let first = try await node.register("ada")
        let user = User(id: try #require(first.json["user"]?["id"]?.snowflakeValue), username: "ada")
        for _ in 0..<110 {
            node.clock.advance(seconds: 1)
            _ = try await node.system.logins.begin(for: user, clientInfo: nil)
        }
        #expect(try await node.post("/auth/logout", [:], AccountNode.bearing(first)).status == 204)
        #expect(try await node.post("/auth/refresh", Self.refresh(first)).status == 401)
    }

    @Test func oneSeesAndEndsOwnLoginsOnly() async throws {
        let node = try await AccountNode.start()
        let ada = try await node.register("ada")
        let phone = try await node.send(
            .post, "/auth/login", [(.userAgent, "Phone/1.0")],
            ["login": "ada", "password": "correct horse", "return_token": true])
        let eve = try await node.register("eve")
        let listed = try await node.get("/auth/sessions", AccountNode.bearing(ada))
        let sessions = try #require(listed.json["user_sessions"]?.arrayValue)
        #expect(sessions.count == 2)
        let ofPhone = try #require(sessions.first { $0["client_info"] == "Phone/1.0" })
        #expect(ofPhone["last_used_at"]?.stringValue?.hasSuffix("+00:00") == true)
        let list: JSON = ["session_ids": .array([try #require(ofPhone["id"])])]
        #expect(try await node.post("/auth/sessions/logout", list, AccountNode.bearing(eve)).status == 204)
        #expect(try await node.get("/auth/sessions", AccountNode.bearing(phone)).status == 200)
        #expect(try await node.post("/auth/sessions/logout", list, AccountNode.bearing(ada)).status == 204)
        #expect(try await node.get("/auth/sessions", AccountNode.bearing(phone)).status == 401)
        #expect(try await node.get("/auth/sessions", AccountNode.bearing(ada)).status == 200)
        #expect(
            try await node.post("/auth/sessions/logout", ["session_ids": []], AccountNode.bearing(ada)).status == 400)
    }
}
