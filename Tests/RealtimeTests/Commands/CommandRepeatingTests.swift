import FluxCluster
import FluxCore
import FluxStore
import FluxTestSupport
import Testing

@testable import FluxRealtime

/// The same request again, to the same owner and to the next one: one change, and the same answer (I4).
@Suite struct CommandRepeatingTests {
    /// A guild with something of each kind to be changed, and people who change it.
    private struct Scene {
        let url: String
        let owner: Caller
        let member: Caller
        let banned: Caller
        let guest: Caller
        let bot: Caller
        let guild: (id: GuildID, channel: ChannelID)
        let role: RoleID
        let spare: ChannelID
        let invite: String
        let founded: GuildID

        init(on node: TestNode) async throws {
            url = node.url
            let owner = try await node.person("owner")
            member = try await node.person("member")
            banned = try await node.person("banned")
            guest = try await node.person("guest")
            let app = User(id: try node.realtime.mintID(), username: "app", isBot: true)
            try await Accounts(node.database).register(app, passwordHash: "-")
            bot = Caller(userID: app.id, isBot: true)
            let guild = try await node.guild(of: owner)
            (self.owner, self.guild) = (owner, guild)
            try await node.join(member, guild, by: owner)
            func make(_ operation: GuildOperation, _ body: JSON = .null) async throws -> JSON {
                let reply = try await node.realtime.perform(
                    GuildCommand(caller: owner, operation: operation, body: body), on: guild.id)
                return reply.body.isEmpty ? .null : try JSON.parse(reply.body)
            }
            role = try #require(try await make(.createRole, ["name": "old"])["id"]?.snowflakeValue)
            spare = try #require(try await make(.createChannel, ["name": "spare"])["id"]?.snowflakeValue)
            _ = try await make(.ban(banned.userID))
            _ = try await make(.setOverwrite(guild.channel, target: role), ["type": 0, "deny": "2048"])
            invite = try #require(
                try await make(.createInvite(guild.channel, code: "once"), ["max_uses": 1])["code"]?.stringValue)
            founded = try node.realtime.mintID()
        }

        /// One command of each kind that answers something else when it is carried out a second time.
        var commands: [GuildCommand] {
            let operations: [(Caller, GuildOperation, JSON)] = [
                (owner, .createRole, ["name": "new"]), (owner, .deleteRole(role), .null),
                (owner, .createChannel, ["name": "new"]), (owner, .deleteChannel(spare), .null),
                (owner, .createInvite(guild.channel, code: "fresh"), ["unique": true]),
                // The last use of it.
                (guest, .acceptInvite(code: invite), .null), (owner, .deleteInvite(code: "fresh"), .null),
                (owner, .deleteOverwrite(guild.channel, target: guild.id), .null),
                (owner, .unban(banned.userID), .null), (owner, .kick(guest.userID), .null),
                (owner, .addBot(bot.userID, permissions: .sendMessages), .null), (member, .leave, .null),
            ]
            return operations.enumerated().map { number, command in
                GuildCommand(
                    caller: command.0, idempotencyKey: UInt64(number + 1), operation: command.1, body: command.2)
            }
        }
    }

    private func state(of guild: GuildID, on node: TestNode) async throws -> LoadedGuild? {
        try await GuildLoading(node.database).load(guild)
    }

    @Test func everyChangeOfAGuildIsMadeOnceAndAnsweredAlike() async throws {
        let url = try await TestPostgres.shared.database().url
        let (scene, replies, before) = try await TestNode.run(url: url) { node in
            let scene = try await Scene(on: node)
            _ = try await node.realtime.perform(
                GuildCommand(
                    caller: scene.owner, operation: .setOverwrite(scene.guild.channel, target: scene.guild.id),
                    body: ["type": 0, "deny": "8192"]), on: scene.guild.id)
            var replies: [CommandReply] = []
            for command in scene.commands {
                replies.append(try await node.realtime.perform(command, on: scene.guild.id))
                #expect(try await node.realtime.perform(command, on: scene.guild.id) == replies.last)
            }
            #expect(replies.allSatisfy { (200...204).contains($0.status) })
            return (scene, replies, try await state(of: scene.guild.id, on: node))
        }
        try await TestNode.run(url: url) { node in
            for (command, reply) in zip(scene.commands, replies) {
                #expect(try await node.realtime.perform(command, on: scene.guild.id) == reply, "\(command.operation)")
            }
            let after = try #require(try await state(of: scene.guild.id, on: node))
            #expect(after.version == before?.version)
            #expect(after.roles.map(\.name).sorted() == ["@everyone", "app", "new"])
            #expect(after.channels.map(\.name).sorted() == ["general", "new"])
            #expect(Set(after.members.map(\.member.userID)) == [scene.owner.userID, scene.bot.userID])
            #expect(try await Invites(node.database).list(guildID: scene.guild.id).count == 1)
            // Another request is told the truth.
            var another = GuildCommand(caller: scene.owner, idempotencyKey: 99, operation: .deleteRole(scene.role))
            await #expect(throws: APIError.unknownRole) {
                _ = try await node.realtime.perform(another, on: scene.guild.id)
            }
            another.operation = .kick(scene.guest.userID)
            await #expect(throws: APIError.unknownMember) {
                _ = try await node.realtime.perform(another, on: scene.guild.id)
            }
        }
    }

    @Test func aGuildIsFoundedAndDeletedOnce() async throws {
        let url = try await TestPostgres.shared.database().url
        func founding(_ scene: Scene) -> GuildCommand {
            GuildCommand(caller: scene.owner, idempotencyKey: 1, operation: .create, body: ["name": "Founded"])
        }
        func deletion(_ scene: Scene) -> GuildCommand {
            GuildCommand(caller: scene.owner, idempotencyKey: 2, operation: .delete)
        }
        let (scene, reply) = try await TestNode.run(url: url) { node in
            let scene = try await Scene(on: node)
            return (scene, try await node.realtime.perform(founding(scene), on: scene.founded))
        }
        try await TestNode.run(url: url) { node in
            let again = try await node.realtime.perform(founding(scene), on: scene.founded)
            #expect(again == reply)
            let deleted = try await node.realtime.perform(deletion(scene), on: scene.founded)
            #expect(deleted == .nothing)
        }
        try await TestNode.run(url: url) { node in
            let deleted = try await node.realtime.perform(deletion(scene), on: scene.founded)
            #expect(deleted == .nothing)
            let again = try await node.realtime.perform(founding(scene), on: scene.founded)
            #expect(again == reply)
            let founded = try await state(of: scene.founded, on: node)
            #expect(founded?.guild.name == nil)
        }
    }

    /// Whatever was done since: who asks again asks about what they did then.
    @Test func aRepeatUndoesNothingThatOthersDidSince() async throws {
        let url = try await TestPostgres.shared.database().url
        let scene = try await TestNode.run(url: url) { node in
            let scene = try await Scene(on: node)
            func perform(_ operation: GuildOperation, _ body: JSON, key: UInt64) async throws {
                _ = try await node.realtime.perform(
                    GuildCommand(caller: scene.owner, idempotencyKey: key, operation: operation, body: body),
                    on: scene.guild.id)
            }
            try await perform(.update, ["name": "first"], key: 1)
            try await perform(.update, ["name": "second"], key: 2)
            // After this the owner of before may not rename it any more.
            try await perform(.update, ["owner_id": .string(scene.member.userID.description)], key: 3)
            return scene
        }
        try await TestNode.run(url: url) { node in
            for key in [1, 2, 3] as [UInt64] {
                let body: JSON =
                    switch key {
                    case 1: ["name": "first"]
                    case 2: ["name": "second"]
                    default: ["owner_id": .string(scene.member.userID.description)]
                    }
                let reply = try await node.realtime.perform(
                    GuildCommand(caller: scene.owner, idempotencyKey: key, operation: .update, body: body),
                    on: scene.guild.id)
                #expect(try JSON.parse(reply.body)["name"]?.stringValue == (key == 1 ? "first" : "second"))
            }
            let guild = try #require(try await state(of: scene.guild.id, on: node)).guild
            #expect(guild.name == "second" && guild.ownerID == scene.member.userID)
        }
    }

    @Test func everyChangeOfAPersonsIsMadeOnceAndAnsweredAlike() async throws {
        let url = try await TestPostgres.shared.database().url
        func commands(of ada: Caller, _ bob: Caller, _ eve: Caller, _ direct: ChannelID) -> [UserCommand] {
            let recipients: JSON = .array([bob, eve].map { .string($0.userID.description) })
            let operations: [(UserOperation, JSON)] = [
                (.openDirectMessage, ["recipients": recipients]), (.closeDirectMessage(direct), .null),
                (.updateRelationship(bob.userID), ["nickname": "b"]), (.removeRelationship(bob.userID), .null),
                (.setRelationship(eve.userID), ["type": 2]), (.setNote(bob.userID), ["note": "n"]),
                (.updateSettings, ["theme": "light"]), (.updateProfile, ["global_name": "Ada"]),
            ]
            return operations.enumerated().map { number, command in
                UserCommand(
                    caller: ada, idempotencyKey: UInt64(number + 1), operation: command.0, body: command.1)
            }
        }
        let (ada, bob, eve, direct, replies) = try await TestNode.run(url: url) { node in
            let ada = try await node.person("ada")
            let bob = try await node.person("bob")
            let eve = try await node.person("eve")
            try await node.befriend(ada, bob)
            try await node.befriend(ada, eve)
            let direct = try await node.direct(ada, with: bob)
            var replies: [CommandReply] = []
            for command in commands(of: ada, bob, eve, direct) {
                replies.append(try await node.realtime.perform(command))
                #expect(try await node.realtime.perform(command) == replies.last)
            }
            try await node.outboxIsEmpty()
            return (ada, bob, eve, direct, replies)
        }
        try await TestNode.run(url: url) { node in
            // The conversation is opened again by a message, the friendship asked for anew: no repeat undoes that.
            try await node.say("hello", in: direct, as: bob)
            try await eventually("it is open") {
                try await DirectMessages(node.database).list(of: ada.userID).contains { $0.channel.id == direct }
            }
            try await node.act(.requestFriend(ada.userID), as: bob)
            try await node.outboxIsEmpty()
            for (command, reply) in zip(commands(of: ada, bob, eve, direct), replies) {
                #expect(try await node.realtime.perform(command) == reply, "\(command.operation)")
            }
            try await node.outboxIsEmpty()
            let open = try await DirectMessages(node.database).list(of: ada.userID).map(\.channel)
            #expect(open.count { $0.kind == .groupDirectMessage } == 1)
            #expect(open.contains { $0.id == direct })
            let sides = try await Relationships(node.database).list(of: ada.userID)
            #expect(sides.first { $0.peerID == bob.userID }?.kind == .incoming)
            #expect(sides.first { $0.peerID == eve.userID }?.kind == .blocked)
        }
    }

    @Test func aPinIsOnePinWithOneMessageWhereverItsOwnerDied() async throws {
        let url = try await TestPostgres.shared.database().url
        func pin(_ message: MessageID, key: UInt64, by caller: Caller) -> ChannelCommand {
            ChannelCommand(caller: caller, idempotencyKey: key, operation: .pin(message))
        }
        let (owner, guild, message) = try await TestNode.run(url: url) { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let said = try await node.say("pinned", in: guild.channel, as: owner)
            let message = try #require(said["id"]?.snowflakeValue)
            for _ in 0..<2 {
                #expect(try await node.realtime.perform(pin(message, key: 1, by: owner), on: guild.channel) == .nothing)
            }
            return (owner, guild, message)
        }
        func kinds(on node: TestNode) async throws -> [MessageKind] {
            try await Messages(node.database).history(.newest, in: guild.channel, guildID: guild.id, limit: 9).map(
                \.kind)
        }
        // Its owner died behind all of it, and before the pin was stored: what tells of it is always stored first.
        for isStored in [true, false] {
            if !isStored { try await TestNode.commitAndDie([.unpin(message, channelID: guild.channel)], at: url) }
            try await TestNode.run(url: url) { node in
                let reply = try await node.realtime.perform(pin(message, key: 1, by: owner), on: guild.channel)
                #expect(reply == .nothing)
                #expect(try await Pins(node.database).count(in: guild.channel) == 1)
                #expect(try await kinds(on: node) == [.pinned, .plain])
            }
        }
        try await TestNode.run(url: url) { node in
            let unpin = ChannelCommand(caller: owner, idempotencyKey: 2, operation: .unpin(message))
            for _ in 0..<2 { #expect(try await node.realtime.perform(unpin, on: guild.channel) == .nothing) }
            #expect(try await Pins(node.database).count(in: guild.channel) == 0)
            _ = try await node.realtime.perform(pin(message, key: 3, by: owner), on: guild.channel)
            #expect(try await kinds(on: node) == [.pinned, .pinned, .plain])
        }
    }

    @Test func onlyWhatHasAKeyIsRepeatedWhereItDoesSomething() {
        let caller = Caller(userID: UserID(1), isBot: false)
        func channel(_ operation: ChannelOperation, key: UInt64 = 0) -> Bool {
            ChannelCommand(caller: caller, idempotencyKey: key, operation: operation).isRepeatable
        }
        #expect(channel(.send(attachments: []), key: 1) && !channel(.send(attachments: [])))
        #expect(channel(.pin(MessageID(1)), key: 1) && !channel(.pin(MessageID(1))))
        #expect(channel(.delete(MessageID(1))) && channel(.history(.newest, limit: 1)) && channel(.typing))
        func guild(_ operation: GuildOperation, key: UInt64 = 0) -> Bool {
            GuildCommand(caller: caller, idempotencyKey: key, operation: operation).isRepeatable
        }
        #expect(guild(.createRole, key: 1) && !guild(.createRole) && guild(.listRoles))
        func user(_ operation: UserOperation, key: UInt64 = 0) -> Bool {
            UserCommand(caller: caller, idempotencyKey: key, operation: operation).isRepeatable
        }
        #expect(user(.openDirectMessage, key: 1) && !user(.openDirectMessage) && user(.acknowledgeMany))
    }
}
