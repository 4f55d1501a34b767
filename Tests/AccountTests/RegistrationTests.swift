import FluxCore
import FluxStore
import HTTPTypes
import Testing

@testable import FluxAPI

/// Protocol 5.1 and 10.1: making accounts.
@Suite(.serialized, .timeLimit(.minutes(10))) struct RegistrationTests {
    @Test func answersTheSessionAndSetsBothCookies() async throws {
        let node = try await AccountNode.start()
        let answer = try await node.post(
            "/auth/register",
            ["username": "Ada.L_1", "password": "correct horse", "email": "ada@example.org", "global_name": "Ada"])
        #expect(answer.status == 201)
        #expect(answer.fields[.contentType] == "application/json")
        #expect(answer.fields[.cacheControl] == "no-store")
        let user = try #require(answer.json["user"])
        #expect(user["username"] == "ada.l_1")
        #expect(user["global_name"] == "Ada")
        #expect(user["email"] == "ada@example.org")
        #expect(user["discriminator"] == "0")
        #expect(user["bot"] == nil)
        #expect(answer.json["expires_in"] == 900)
        #expect(answer.json["token"] == nil)
        #expect(answer.json["refresh_token"] == nil)
        #expect(answer.cookies.count == 2)
        #expect(
            answer.cookies[0].hasSuffix("; Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure"))
        #expect(
            answer.cookies[1].hasSuffix(
                "; Path=/api/v10/auth; Max-Age=2592000; HttpOnly; SameSite=Strict; Secure"))
    }

    @Test func cookiesTravelWithoutTLSOnlyWhereTheOriginHasNone() async throws {
        let node = try await AccountNode.start(publicURL: "http://127.0.0.1:8080")
        let answer = try await node.register("ada")
        #expect(answer.cookies.count == 2)
        #expect(answer.cookies.allSatisfy { !$0.contains("Secure") })
    }

    @Test func tokensAreInTheBodyForThoseWhoAskForThem() async throws {
        let node = try await AccountNode.start()
        let answer = try await node.register("ada")
        let token = try #require(answer.json["token"]?.stringValue)
        #expect(answer.json["refresh_token"]?.stringValue?.utf8.count == 43)
        let identity = try #require(try await node.system.authenticator.identity(forToken: token))
        #expect(identity.userID == answer.json["user"]?["id"]?.snowflakeValue)
        #expect(!identity.isBot)
        #expect(answer.cookie("flux_access") == token)
    }

    @Test(arguments: [
        ("a", "BASE_TYPE_BAD_LENGTH"), (String(repeating: "a", count: 33), "BASE_TYPE_BAD_LENGTH"),
        ("has space", "USERNAME_INVALID_CHARACTERS"), ("ümlaut", "USERNAME_INVALID_CHARACTERS"),
        ("\u{212A}elvin", "USERNAME_INVALID_CHARACTERS"), ("semi;colon", "USERNAME_INVALID_CHARACTERS"),
    ])
    func refusesOtherNames(name: String, complaint: String) async throws {
        let form = try #require(throws: APIError.self) {
            try RegistrationForm(["username": .string(name), "password": "correct horse"])
        }
        #expect(form.code == 50035)
        #expect(form.form?.entries.map(\.path) == [["username"]])
        #expect(form.form?.entries.first?.code == complaint)
    }

    @Test func namesEveryFieldThatIsWrong() async throws {
        let node = try await AccountNode.start()
        let answer = try await node.post(
            "/auth/register",
            ["password": "short", "email": "nobody", "global_name": .string(String(repeating: "x", count: 33))])
        #expect(answer.status == 400)
        #expect(answer.code == 50035)
        #expect(answer.complaint("username") == "BASE_TYPE_REQUIRED")
        #expect(answer.complaint("password") == "PASSWORD_BAD_LENGTH")
        #expect(answer.complaint("email") == "EMAIL_TYPE_INVALID_EMAIL")
        #expect(answer.complaint("global_name") == "BASE_TYPE_BAD_LENGTH")
        let typed = try await node.post("/auth/register", ["username": 7, "password": [], "return_token": "yes"])
        #expect(typed.complaint("username") == "STRING_TYPE_CONVERT")
        #expect(typed.complaint("password") == "STRING_TYPE_CONVERT")
        #expect(typed.complaint("return_token") == "BOOLEAN_TYPE_CONVERT")
        for body in [JSON.array([]), .null, "text", 7] {
            #expect(try await node.post("/auth/register", body).status == 400)
        }
    }

    @Test func passwordsHaveAnUpperBoundInBytes() throws {
        let longest = String(repeating: "p", count: 1024)
        _ = try RegistrationForm(["username": "ada", "password": .string(longest)])
        #expect(throws: APIError.self) {
            try RegistrationForm(["username": "ada", "password": .string(longest + "p")])
        }
        #expect(throws: APIError.self) {
            try RegistrationForm(["username": "ada", "password": .string(String(repeating: "é", count: 513))])
        }
        _ = try RegistrationForm(["username": "ada", "password": "🐎🐎🐎🐎🐎🐎🐎🐎"])
    }

    @Test func aNameOrAddressIsTakenOnce() async throws {
        let node = try await AccountNode.start()
        _ = try await node.post(
            "/auth/register", ["username": "ada", "password": "correct horse", "email": "ada@example.org"])
        let name = try await node.post("/auth/register", ["username": "ADA", "password": "correct horse"])
        #expect(name.status == 400)
        #expect(name.complaint("username") == "USERNAME_ALREADY_TAKEN")
        let address = try await node.post(
            "/auth/register", ["username": "eve", "password": "correct horse", "email": "Ada@Example.org"])
        #expect(address.complaint("email") == "EMAIL_ALREADY_REGISTERED")
        // The refused one left nothing behind.
        #expect(try await node.register("eve").status == 201)
    }

    @Test func ofManyAtOnceOneGetsTheName() async throws {
        let node = try await AccountNode.start()
        let answers = try await withThrowingTaskGroup(of: TestAnswer.self) { group in
            for _ in 0..<8 { group.addTask { try await node.register("ada") } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.filter { $0.status == 201 }.count == 1)
        #expect(answers.filter { $0.complaint("username") == "USERNAME_ALREADY_TAKEN" }.count == 7)
    }

    @Test func theInviteOfANewAccountIsAccepted() async throws {
        let node = try await AccountNode.start()
        let answer = try await node.post(
            "/auth/register", ["username": "ada", "password": "correct horse", "invite": "welcome"])
        #expect(answer.status == 201)
        let (command, guild) = try #require(node.engine.guild.first)
        #expect(guild == GuildID(77))
        #expect(command.operation == .acceptInvite(code: "welcome"))
        #expect(command.caller.userID == answer.json["user"]?["id"]?.snowflakeValue)
        // An invite that leads nowhere does not cost the account.
        let other = try await node.post(
            "/auth/register", ["username": "eve", "password": "correct horse", "invite": "nowhere"])
        #expect(other.status == 201)
    }

    @Test func nobodyElsesAnswerShowsTheAddress() async throws {
        let node = try await AccountNode.start()
        let ada = try await node.post(
            "/auth/register", ["username": "ada", "password": "correct horse", "email": "ada@example.org"])
        let eve = try await node.register("eve")
        let id = try #require(ada.json["user"]?["id"]?.stringValue)
        let seen = try await node.get("/users/\(id)", AccountNode.bearing(eve))
        #expect(seen.status == 200)
        #expect(seen.json["email"] == nil)
    }

    @Test func registrationsAreLimitedByAddressButNotFromHere() async throws {
        let limits = RateLimitConfiguration(rules: [.register: .init(tokens: 2, seconds: 3600)])
        let node = try await AccountNode.start(limits: limits)
        var statuses: [Int] = []
        for index in 0..<3 {
            let body: JSON = ["username": .string("person\(index)"), "password": "correct horse"]
            statuses.append(try await node.send(.post, "/auth/register", [], body, from: "203.0.113.9").status)
        }
        #expect(statuses == [201, 201, 429])
        for index in 0..<3 { #expect(try await node.register("local\(index)").status == 201) }
    }
}
