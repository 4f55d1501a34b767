import FluxAPI
import FluxCore
import FluxRealtime
import Testing

/// That each path becomes the command it stands for, with the right key, and that replies come back as they are.
@Suite struct CommandRouteTests {
    private static let caller = Caller(userID: 7, isBot: false)

    private static func guild(_ operation: GuildOperation, on guild: GuildID = 3, body: JSON = .null)
        -> FakeEngine.Command
    {
        .guild(GuildCommand(caller: caller, operation: operation, body: body), guild)
    }

    private static func channel(_ operation: ChannelOperation, on channel: ChannelID = 5, body: JSON = .null)
        -> FakeEngine.Command
    {
        .channel(ChannelCommand(caller: caller, operation: operation, body: body), channel)
    }

    private static func user(_ operation: UserOperation, body: JSON = .null) -> FakeEngine.Command {
        .user(UserCommand(caller: caller, operation: operation, body: body))
    }

    private static let empty: JSON = [:]
    private static let thumb = Emoji(id: nil, name: "👍")
    private static let custom = Emoji(id: 12, name: "wave")

    /// Every route that is one command. Bodies are `{"a":1}` where the route takes one.
    private static let table: [(String, String, FakeEngine.Command)] = [
        ("GET", "/users/@me", user(.get)),
        ("PATCH", "/users/@me", user(.updateProfile, body: ["a": 1])),
        ("DELETE", "/users/@me/guilds/3", guild(.leave)),
        ("GET", "/users/@me/settings", user(.settings)),
        ("PATCH", "/users/@me/settings", user(.updateSettings, body: ["a": 1])),
        ("PATCH", "/users/@me/guilds/3/settings", user(.updateGuildSettings(3), body: ["a": 1])),
        ("PUT", "/users/@me/notes/4", user(.setNote(4), body: ["a": 1])),
        ("GET", "/users/@me/relationships", user(.listRelationships)),
        ("PUT", "/users/@me/relationships/4", user(.setRelationship(4), body: ["a": 1])),
        ("PATCH", "/users/@me/relationships/4", user(.updateRelationship(4), body: ["a": 1])),
        ("DELETE", "/users/@me/relationships/4", user(.removeRelationship(4))),
        ("GET", "/users/@me/channels", user(.listDirectMessages)),
        ("POST", "/users/@me/channels", user(.openDirectMessage, body: ["a": 1])),
        ("POST", "/channels/5/messages/6/ack", user(.acknowledge(5, 6), body: ["a": 1])),
        ("POST", "/read-states/ack-bulk", user(.acknowledgeMany, body: ["a": 1])),
        ("GET", "/channels/5/receipts", user(.receipts(5))),
        ("POST", "/guilds", guild(.create, on: 1_000, body: ["a": 1])),
        ("GET", "/guilds/3?with_counts=True", guild(.get(withCounts: true))),
        ("PATCH", "/guilds/3", guild(.update, body: ["a": 1])),
        ("DELETE", "/guilds/3", guild(.delete)),
        ("POST", "/guilds/3/delete", guild(.delete)),
        ("GET", "/guilds/3/channels", guild(.listChannels)),
        ("POST", "/guilds/3/channels", guild(.createChannel, body: ["a": 1])),
        ("PATCH", "/guilds/3/channels", guild(.reorderChannels, body: ["a": 1])),
        ("GET", "/guilds/3/members?limit=1000&after=9", guild(.listMembers(after: 9, limit: 1_000))),
        ("GET", "/guilds/3/members/search?query=a+b&limit=5", guild(.searchMembers(query: "a b", limit: 5))),
        ("GET", "/guilds/3/members/4", guild(.member(4))),
        ("GET", "/guilds/3/members/@me", guild(.member(7))),
        ("PATCH", "/guilds/3/members/4", guild(.updateMember(4), body: ["a": 1])),
        ("PATCH", "/guilds/3/members/@me", guild(.updateOwnMember, body: ["a": 1])),
        ("PATCH", "/guilds/3/members/@me/nick", guild(.updateOwnMember, body: ["a": 1])),
        ("DELETE", "/guilds/3/members/4", guild(.kick(4))),
        ("PUT", "/guilds/3/members/4/roles/8", guild(.addRole(4, 8))),
        ("DELETE", "/guilds/3/members/4/roles/8", guild(.removeRole(4, 8))),
        ("GET", "/guilds/3/bans?limit=2&after=0", guild(.listBans(before: nil, after: Snowflake(0), limit: 2))),
        ("GET", "/guilds/3/bans/4", guild(.getBan(4))),
        ("PUT", "/guilds/3/bans/4", guild(.ban(4), body: ["a": 1])),
        ("DELETE", "/guilds/3/bans/4", guild(.unban(4))),
        ("GET", "/guilds/3/roles", guild(.listRoles)),
        ("POST", "/guilds/3/roles", guild(.createRole, body: ["a": 1])),
        ("PATCH", "/guilds/3/roles", guild(.reorderRoles, body: ["a": 1])),
        ("PATCH", "/guilds/3/roles/8", guild(.updateRole(8), body: ["a": 1])),
        ("DELETE", "/guilds/3/roles/8", guild(.deleteRole(8))),
        ("GET", "/guilds/3/invites", guild(.listInvites(nil))),
        ("GET", "/channels/5/invites", guild(.listInvites(5))),
        ("POST", "/invites/abc", guild(.acceptInvite(code: "abc"), body: ["a": 1])),
        ("DELETE", "/invites/abc", guild(.deleteInvite(code: "abc"))),
        ("GET", "/channels/5", channel(.get)),
        ("PATCH", "/channels/5", guild(.updateChannel(5), body: ["a": 1])),
        ("DELETE", "/channels/5", guild(.deleteChannel(5))),
        ("DELETE", "/channels/50", user(.closeDirectMessage(50))),
        ("PUT", "/channels/5/permissions/8", guild(.setOverwrite(5, target: 8), body: ["a": 1])),
        ("DELETE", "/channels/5/permissions/8", guild(.deleteOverwrite(5, target: 8))),
        ("POST", "/channels/5/typing", channel(.typing)),
        ("GET", "/channels/5/messages", channel(.history(.newest, limit: 50))),
        ("GET", "/channels/5/messages?limit=100&before=0", channel(.history(.before(Snowflake(0)), limit: 100))),
        ("GET", "/channels/5/messages?after=9", channel(.history(.after(9), limit: 50))),
        ("GET", "/channels/5/messages?around=9&limit=1", channel(.history(.around(9), limit: 1))),
        ("GET", "/channels/5/messages/6", channel(.message(6))),
        ("POST", "/channels/5/messages", channel(.send(attachments: []), body: ["a": 1])),
        ("PATCH", "/channels/5/messages/6", channel(.edit(6, attachments: []), body: ["a": 1])),
        ("DELETE", "/channels/5/messages/6", channel(.delete(6))),
        ("POST", "/channels/5/messages/bulk-delete", channel(.bulkDelete, body: ["a": 1])),
        ("GET", "/channels/5/messages/pins?limit=3", channel(.pins(before: nil, limit: 3, legacy: false))),
        ("GET", "/channels/5/pins", channel(.pins(before: nil, limit: 50, legacy: true))),
        ("PUT", "/channels/5/messages/pins/6", channel(.pin(6))),
        ("PUT", "/channels/5/pins/6", channel(.pin(6))),
        ("DELETE", "/channels/5/messages/pins/6", channel(.unpin(6))),
        ("DELETE", "/channels/5/pins/6", channel(.unpin(6))),
        ("PUT", "/channels/5/messages/6/reactions/wave%3A12/@me", channel(.addReaction(6, custom))),
        ("PUT", "/channels/5/messages/6/reactions/wave:12/%40me", channel(.addReaction(6, custom))),
        ("DELETE", "/channels/5/messages/6/reactions/%F0%9F%91%8D/@me", channel(.removeReaction(6, thumb, 7))),
        ("DELETE", "/channels/5/messages/6/reactions/%F0%9F%91%8D/9", channel(.removeReaction(6, thumb, 9))),
        (
            "GET", "/channels/5/messages/6/reactions/%F0%9F%91%8D?limit=3&after=2",
            channel(.listReactions(6, thumb, after: 2, limit: 3))
        ),
        ("DELETE", "/channels/5/messages/6/reactions/%F0%9F%91%8D", channel(.clearReactions(6, thumb))),
        ("DELETE", "/channels/5/messages/6/reactions", channel(.clearReactions(6, nil))),
        ("GET", "/channels/5/events?after_seq=4&limit=500&epoch=2", channel(.events(after: 4, limit: 500, epoch: 2))),
    ]

    @Test func pathsAreCommands() async throws {
        let engine = FakeEngine(guilds: [5: 3]) { _ in CommandReply(status: 201, body: Array(#"{"ok":true}"#.utf8)) }
        try await TestNode.run(engine: engine, directory: FakeDirectory(invites: ["abc": 3])) { node in
            for (method, path, command) in Self.table {
                let takesBody = method != "GET" && bodyOf(command) != .null
                let answer =
                    takesBody
                    ? try await node.client.send(method, "/api/v10" + path, json: #"{"a":1}"#)
                    : try await node.client.send(method, "/api/v10" + path)
                #expect(answer.status == 201, "\(method) \(path)")
                #expect(answer.text == #"{"ok":true}"#)
                #expect(node.engine.commands.last == command, "\(method) \(path)")
            }
            #expect(node.engine.commands.count == Self.table.count)
        }
    }

    private func bodyOf(_ command: FakeEngine.Command) -> JSON {
        switch command {
        case .guild(let command, _): command.body
        case .channel(let command, _): command.body
        case .user(let command): command.body
        }
    }

    @Test func conversationsAreNoGuildChannels() async throws {
        try await TestNode.run { node in
            for (method, path) in [
                ("PATCH", "/channels/50"), ("PUT", "/channels/50/permissions/1"), ("POST", "/channels/50/invites"),
            ] {
                let answer = try await node.client.send(method, "/api/v10" + path, json: "{}")
                #expect(answer.status == 403)
                #expect(answer.text.contains("50003"))
            }
            #expect(node.engine.commands.isEmpty)
        }
    }

    @Test func badQueriesAndEmojiAreRefused() async throws {
        try await TestNode.run { node in
            for query in ["limit=0", "limit=101", "limit=x", "before=x", "before=1&after=2", "around=-1"] {
                let answer = try await node.client.send("GET", "/api/v10/channels/5/messages?" + query)
                #expect(answer.status == 400, "\(query)")
                #expect(answer.text.contains("50035"))
            }
            for emoji in ["abc", "a%2Fb", "%F0%9F%91%8D%F0%9F%91%8D", "x:y"] {
                let answer = try await node.client.send("PUT", "/api/v10/channels/5/messages/6/reactions/\(emoji)/@me")
                #expect(answer.status == 404, "\(emoji)")
                #expect(answer.text.contains("10014"))
            }
            #expect(
                try await node.client.send("PUT", "/api/v10/channels/5/messages/6/reactions/%F0%9F%91%8D/9").status
                    == 404)
            #expect(try await node.client.send("GET", "/api/v10/channels/5/events").status == 400)
            #expect(try await node.client.send("GET", "/api/v10/channels/5/messages/pins?before=now").status == 400)
            #expect(node.engine.commands.isEmpty)
        }
    }

    @Test func invitesNeedNoCredentialToBeLookedAt() async throws {
        let engine = FakeEngine(guilds: [5: 3]) { _ in CommandReply(status: 200, body: Array("{}".utf8)) }
        try await TestNode.run(engine: engine, directory: FakeDirectory(invites: ["abc": 3])) { node in
            #expect(try await node.client.send("GET", "/api/v10/invites/abc?with_counts=1", as: nil).status == 200)
            let operation = GuildOperation.invite(code: "abc", withCounts: true)
            #expect(node.engine.commands == [.guild(GuildCommand(caller: .nobody, operation: operation), 3)])
            let unknown = try await node.client.send("GET", "/api/v10/invites/nope", as: nil)
            #expect(unknown.status == 404)
            #expect(unknown.text.contains("10006"))
            #expect(try await node.client.send("POST", "/api/v10/invites/abc", as: "bot 7").status == 403)

            for _ in 0..<2 { #expect(try await node.client.send("POST", "/api/v10/channels/5/invites").status == 200) }
            let codes = node.engine.commands.compactMap { command in
                if case .guild(let command, 3) = command, case .createInvite(5, let code) = command.operation {
                    code
                } else {
                    nil
                }
            }
            #expect(Set(codes).count == 2)
            #expect(
                codes.allSatisfy { $0.utf8.count == 10 && $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) } }
            )
        }
    }

    @Test func friendsAreFoundByName() async throws {
        let directory = FakeDirectory(users: [User(id: 9, username: "alice", discriminator: "0")])
        try await TestNode.run(directory: directory) { node in
            #expect(
                try await node.client.send(
                    "POST", "/api/v10/users/@me/relationships", json: #"{"username":"Alice","discriminator":null}"#
                ).status == 204)
            guard case .user(let command) = try #require(node.engine.commands.last) else { return }
            #expect(command.operation == .requestFriend(9))
            let unknown = try await node.client.send(
                "POST", "/api/v10/users/@me/relationships", json: #"{"username":"bob"}"#)
            #expect(unknown.text.contains("80004"))
            #expect(
                try await node.client.send("POST", "/api/v10/users/@me/relationships", json: "{}").text.contains(
                    "50035"))
            #expect(try await node.client.send("GET", "/api/v10/users/9").text.contains(#""username":"alice""#))
            #expect(try await node.client.send("GET", "/api/v10/users/10").text.contains("10013"))
        }
    }

    @Test func ownGuildsArePutTogetherInOrder() async throws {
        let engine = FakeEngine { command in
            guard case .guild(_, let id) = command else { return .nothing }
            // Deleted since the list was read.
            if id == 4 { throw APIError.unknownGuild }
            return CommandReply(status: 200, body: Array(#"{"id":"\#(id)"}"#.utf8))
        }
        let directory = FakeDirectory(memberships: [7: (1...40).map { Snowflake($0) }])
        try await TestNode.run(engine: engine, directory: directory) { (node: TestNode) async throws in
            func ids(_ query: String) async throws -> [Int] {
                let answer = try await node.client.send("GET", "/api/v10/users/@me/guilds?" + query)
                return try #require(try JSON.parse(answer.body).arrayValue).compactMap {
                    $0["id"]?.stringValue.flatMap { Int($0) }
                }
            }
            #expect(try await ids("") == Array(1...40).filter { $0 != 4 })
            #expect(try await ids("after=10&limit=3") == [11, 12, 13])
            #expect(try await ids("before=10&limit=3") == [7, 8, 9])
        }
    }

    @Test func logsOfManyChannelsComeInOneAnswer() async throws {
        let engine = FakeEngine { command in
            guard case .channel(let command, let id) = command,
                case .events(let after, 500, let epoch) = command.operation
            else {
                throw APIError.internalFailure
            }
            if id == 2 { throw APIError.missingAccess }
            return CommandReply(
                status: 200, body: Array(#"{"events":[],"last_seq":\#(after),"epoch":\#(epoch ?? 0)}"#.utf8))
        }
        try await TestNode.run(engine: engine) { node in
            let answer = try await node.client.send(
                "POST", "/api/v10/channels/events",
                json:
                    #"{"channels":[{"id":"1","after_seq":5,"epoch":3},{"id":2,"after_seq":0},{"id":"3","after_seq":1}]}"#
            )
            #expect(
                answer.text
                    == #"{"channels":[{"id":"1","events":[],"last_seq":5,"epoch":3},{"id":"2","error":{"message":"Missing Access","code":50001}},{"id":"3","events":[],"last_seq":1,"epoch":0}]}"#
            )
            let tooMany = (0...100).map { #"{"id":"\#($0 + 1)","after_seq":0}"# }.joined(separator: ",")
            for bad in [
                "{}", #"{"channels":[]}"#, #"{"channels":[{}]}"#, #"{"channels":[{"id":"1","after_seq":-1}]}"#,
                "{\"channels\":[\(tooMany)]}",
            ] {
                #expect(try await node.client.send("POST", "/api/v10/channels/events", json: bad).status == 400)
            }
        }
    }

    @Test func profilesAreForAcquaintances() async throws {
        let users = [
            User(id: 7, username: "me", discriminator: "0"), User(id: 8, username: "friend", discriminator: "0"),
            User(id: 9, username: "stranger", discriminator: "0"),
        ]
        try await TestNode.run(directory: FakeDirectory(users: users, acquainted: [8])) { node in
            let friend = try await node.client.send("GET", "/api/v10/users/8/profile?with_mutual_friends=1")
            #expect(friend.status == 200)
            let profile = try JSON.parse(friend.body)
            #expect(profile["user"]?["username"] == "friend")
            #expect(profile["mutual_friends"] == [])
            #expect(profile["mutual_guilds"] == nil)
            #expect(try await node.client.send("GET", "/api/v10/users/9/profile").text.contains("50001"))
            #expect(try await node.client.send("GET", "/api/v10/users/7/profile").status == 200)
        }
    }
}
