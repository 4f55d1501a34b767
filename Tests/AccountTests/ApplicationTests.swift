import FluxCore
import FluxRealtime
import FluxStore
import HTTPTypes
import Testing

@testable import FluxAPI
@testable import FluxSecurity

/// Protocol 5.8: how a person makes a bot.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ApplicationTests {
    private struct Owned {
        let node: AccountNode
        let owner: [(HTTPField.Name, String)]
        let ownerID: UserID
        let id: String

        init() async throws {
            node = try await AccountNode.start()
            let session = try await node.register("ada")
            owner = AccountNode.bearing(session)
            ownerID = try #require(session.json["user"]?["id"]?.snowflakeValue)
            let made = try await node.post("/applications", ["name": " Helper Bot "], owner)
            #expect(made.status == 201)
            id = try #require(made.json["id"]?.stringValue)
        }

        var applicationID: ApplicationID { ApplicationID(id) ?? ApplicationID(0) }

        func token() async throws -> String {
            let answer = try await node.post("/applications/\(id)/bot", [:], owner)
            #expect(answer.status == 200)
            return try #require(answer.json["token"]?.stringValue)
        }
    }

    private static func bot(_ token: String) -> [(HTTPField.Name, String)] { [(.authorization, "Bot \(token)")] }

    @Test func anApplicationComesWithItsBot() async throws {
        let owned = try await Owned()
        let answer = try await owned.node.get("/applications/\(owned.id)", owned.owner)
        #expect(answer.status == 200)
        #expect(answer.json["name"] == "Helper Bot")
        #expect(answer.json["owner"]?["username"] == "ada")
        #expect(answer.json["owner"]?["email"] == nil)
        #expect(answer.json["bot"]?["id"]?.stringValue == owned.id)
        #expect(answer.json["bot"]?["bot"] == true)
        #expect(answer.json["bot"]?["discriminator"] == "0000")
        #expect(answer.json["verify_key"]?.stringValue?.count == 64)
        #expect(answer.json["flags"]?.intValue == 1 << 13 | 1 << 15 | 1 << 19)
        let list = try await owned.node.get("/applications", owned.owner)
        #expect(list.json.arrayValue?.compactMap { $0["id"]?.stringValue } == [owned.id])
    }

    @Test func theTokenOpensWhatBotsMayDo() async throws {
        let owned = try await Owned()
        let token = try await owned.token()
        let parts = token.split(separator: ".")
        #expect(Base64URL.decode(parts[0]) == Array(owned.id.utf8))
        for path in ["/applications/@me", "/oauth2/applications/@me"] {
            let answer = try await owned.node.get(path, Self.bot(token))
            #expect(answer.status == 200)
            #expect(answer.json["id"]?.stringValue == owned.id)
        }
        #expect(try await owned.node.get("/gateway/bot", Self.bot(token)).status == 200)
        let identity = try #require(try await owned.node.system.authenticator.identity(forToken: token))
        #expect(identity == .init(userID: owned.applicationID, isBot: true, loginID: nil))
        #expect(try await owned.node.system.authenticator.identity(forToken: "Bot \(token)") == identity)
        // What is for people is closed to it, and the other way round.
        let person = try await owned.node.get("/applications", Self.bot(token))
        #expect(person.status == 403)
        #expect(person.code == 20001)
        let bot = try await owned.node.get("/applications/@me", owned.owner)
        #expect(bot.code == 20002)
    }

    @Test(arguments: ["bot", "bot/reset"])
    func aNewTokenVoidsTheFormerAndClosesItsSessions(path: String) async throws {
        let owned = try await Owned()
        let peer = try await owned.node.peer()
        let former = try await owned.token()
        #expect(try await peer.get("/gateway/bot", Self.bot(former)).status == 200)
        let revoked = owned.node.revoker.revocations.count
        let answer = try await owned.node.post("/applications/\(owned.id)/\(path)", [:], owned.owner)
        let token = try #require(answer.json["token"]?.stringValue)
        #expect(answer.fields[.cacheControl] == "no-store")
        #expect(token != former)
        #expect(owned.node.revoker.revocations.dropFirst(revoked) == [.bot(owned.applicationID)])
        #expect(try await owned.node.get("/gateway/bot", Self.bot(former)).status == 401)
        #expect(try await owned.node.get("/gateway/bot", Self.bot(token)).status == 200)
        // Another node believes what it read for two seconds, not longer.
        owned.node.clock.advance(seconds: BotCredentials.lifetimeSeconds)
        #expect(try await peer.get("/gateway/bot", Self.bot(former)).status == 401)
        #expect(try await peer.get("/gateway/bot", Self.bot(token)).status == 200)
    }

    @Test func aTokenOfTheRightFormThatNobodyGaveIsRefused() async throws {
        let owned = try await Owned()
        let forged = BotToken.mint(for: owned.applicationID, at: .now())
        #expect(try await owned.node.get("/gateway/bot", Self.bot(forged.text)).status == 401)
        _ = try await owned.token()
        #expect(try await owned.node.get("/gateway/bot", Self.bot(forged.text)).status == 401)
        let nobody = BotToken.mint(for: Snowflake(12345), at: .now())
        #expect(try await owned.node.get("/gateway/bot", Self.bot(nobody.text)).status == 401)
    }

    @Test func onlyTheOwnerMayTouchIt() async throws {
        let owned = try await Owned()
        let eve = AccountNode.bearing(try await owned.node.register("eve"))
        let path = "/applications/\(owned.id)"
        #expect(try await owned.node.get(path, eve).code == 50001)
        #expect(try await owned.node.send(.patch, path, eve, ["name": "Mine"]).code == 50001)
        #expect(try await owned.node.send(.delete, path, eve).code == 50001)
        #expect(try await owned.node.post(path + "/bot", [:], eve).code == 50001)
        #expect(try await owned.node.post(path + "/bot/reset", [:], eve).code == 50001)
        #expect(try await owned.node.send(.patch, path + "/bot", eve, ["username": "x"]).code == 50001)
        #expect(try await owned.node.get("/applications/999", eve).code == 10002)
        #expect(try await owned.node.get("/applications", eve).json.arrayValue?.isEmpty == true)
    }

    @Test func itsFieldsCanBeChanged() async throws {
        let owned = try await Owned()
        let path = "/applications/\(owned.id)"
        let changed = try await owned.node.send(
            .patch, path, owned.owner, ["name": "Other", "description": "What it does", "bot_public": false])
        #expect(changed.status == 200)
        let read = try await owned.node.get(path, owned.owner)
        #expect(read.json == changed.json)
        #expect(read.json["name"] == "Other")
        #expect(read.json["description"] == "What it does")
        #expect(read.json["bot_public"] == false)
        let kept = try await owned.node.send(.patch, path, owned.owner, [:])
        #expect(kept.json == read.json)
        for wrong in [["name": ""], ["name": "   "], ["name": 7]] as [JSON] {
            #expect(try await owned.node.send(.patch, path, owned.owner, wrong).complaint("name") != nil)
        }
        #expect(try await owned.node.post("/applications", [:], owned.owner).complaint("name") == "BASE_TYPE_REQUIRED")
    }

    @Test func theBotsProfileChangesThroughItsUser() async throws {
        let owned = try await Owned()
        let answer = try await owned.node.send(
            .patch, "/applications/\(owned.id)/bot", owned.owner, ["username": "renamed", "bio": "no"])
        #expect(answer.status == 200)
        #expect(answer.json["id"]?.stringValue == owned.id)
        let command = try #require(owned.node.engine.user.first)
        #expect(command.caller == Caller(userID: owned.applicationID, isBot: true))
        #expect(command.operation == .updateProfile)
        #expect(command.body == ["username": "renamed"])
    }

    @Test func aDeletedApplicationLeavesItsGuildsAndItsTokenIsVoid() async throws {
        let owned = try await Owned()
        let token = try await owned.token()
        owned.node.memberships.withLockedValue { $0[owned.applicationID] = [GuildID(5), GuildID(6)] }
        #expect(try await owned.node.send(.delete, "/applications/\(owned.id)", owned.owner).status == 204)
        let left = owned.node.engine.guild.filter { $0.command.operation == .leave }
        #expect(left.map(\.guild).sorted() == [GuildID(5), GuildID(6)])
        #expect(left.allSatisfy { $0.command.caller == Caller(userID: owned.applicationID, isBot: true) })
        #expect(try await owned.node.get("/applications/\(owned.id)", owned.owner).code == 10002)
        #expect(try await owned.node.get("/gateway/bot", Self.bot(token)).status == 401)
        #expect(owned.node.revoker.revocations.last == .bot(owned.applicationID))
    }

    @Test func authorizingAddsTheBotToTheGuild() async throws {
        let owned = try await Owned()
        let query = "/oauth2/authorize?client_id=\(owned.id)&scope=bot%20applications.commands"
        for permissions in ["8", 8] as [JSON] {
            let answer = try await owned.node.post(
                query, ["guild_id": "42", "permissions": permissions, "authorize": true], owned.owner)
            #expect(answer.status == 200)
            #expect(answer.json["location"]?.stringValue?.contains("guild_id=42") == true)
        }
        #expect(owned.node.engine.guild.count == 2)
        for (command, guild) in owned.node.engine.guild {
            #expect(guild == GuildID(42))
            #expect(command.caller == Caller(userID: owned.ownerID, isBot: false))
            #expect(command.operation == .addBot(owned.applicationID, permissions: Permissions(rawValue: 8)))
        }
    }

    @Test func authorizingPassesOnWhatTheGuildRefuses() async throws {
        let owned = try await Owned()
        owned.node.engine.refuse(with: .missingPermissions)
        let answer = try await owned.node.post(
            "/oauth2/authorize?client_id=\(owned.id)&scope=bot", ["guild_id": "42", "authorize": true], owned.owner)
        #expect(answer.status == 403)
        #expect(answer.code == 50013)
    }

    @Test func authorizingChecksItsForm() async throws {
        let owned = try await Owned()
        let node = owned.node
        #expect(
            try await node.post("/oauth2/authorize?client_id=9&scope=bot", [:], owned.owner).code == 10002)
        #expect(try await node.post("/oauth2/authorize?scope=bot", [:], owned.owner).complaint("client_id") != nil)
        let query = "/oauth2/authorize?client_id=\(owned.id)&scope=bot"
        #expect(try await node.post(query, [:], owned.owner).complaint("guild_id") != nil)
        #expect(
            try await node.post(query, ["guild_id": "42", "permissions": "x"], owned.owner).complaint("permissions")
                != nil)
        let denied = try await node.post(query, ["guild_id": "42", "authorize": false], owned.owner)
        #expect(denied.status == 200)
        #expect(node.engine.guild.isEmpty)
        // An application that is not public is let in by its owner alone.
        _ = try await node.send(.patch, "/applications/\(owned.id)", owned.owner, ["bot_public": false])
        let eve = AccountNode.bearing(try await node.register("eve"))
        #expect(try await node.post(query, ["guild_id": "42", "authorize": true], eve).code == 50001)
    }

    @Test func thePageOfAuthorizingShowsTheGuilds() async throws {
        let owned = try await Owned()
        owned.node.memberships.withLockedValue { $0[owned.ownerID] = [GuildID(5)] }
        let answer = try await owned.node.get("/oauth2/authorize?client_id=\(owned.id)", owned.owner)
        #expect(answer.status == 200)
        #expect(answer.json["application"]?["id"]?.stringValue == owned.id)
        #expect(answer.json["bot"]?["id"]?.stringValue == owned.id)
        #expect(answer.json["user"]?["username"] == "ada")
        let guilds = try #require(answer.json["guilds"]?.arrayValue)
        #expect(guilds == [["id": "5", "name": "a guild", "permissions": "32"]])
        #expect(answer.json["authorized"] == false)
    }
}
