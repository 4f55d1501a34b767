import FluxCluster
import FluxCore
import FluxStore
import FluxTestSupport
import Testing

@testable import FluxRealtime

/// The owner has carried out what it was asked for and dies before its answer arrives, or the answer alone gets lost. The edge asks
/// again: whoever asked is answered as if nothing had been, and nothing is done twice (I4).
@Suite struct LostCommandTests {
    /// What gets lost.
    enum Loss: CaseIterable { case answer, owner }

    /// Guilds and people at one node, asked from another; a third is there to take over.
    private struct Scene {
        let cluster: TestCluster
        let owner: Caller
        let member: Caller
        let guest: Caller
        let guild: (id: GuildID, channel: ChannelID)
        let role: RoleID
        let spare: ChannelID
        let message: MessageID

        var home: TestNode { cluster.nodes[0] }
        var edge: TestNode { cluster.nodes[1] }

        init(in cluster: TestCluster) async throws {
            self.cluster = cluster
            let home = cluster.nodes[0]
            func person() async throws -> Caller {
                while true {
                    let person = try await home.person("p\(try home.realtime.mintID())")
                    if home.system.owns(Slot(of: person.userID)) { return person }
                }
            }
            let owner = try await person()
            (self.owner, member, guest) = (owner, try await person(), try await person())
            let id = try Self.freeID(at: home)
            _ = try await home.realtime.perform(
                GuildCommand(caller: owner, operation: .create, body: ["name": "Test"]), on: id)
            func make(_ operation: GuildOperation, _ body: JSON = .null) async throws -> JSON {
                let reply = try await home.realtime.perform(
                    GuildCommand(caller: owner, operation: operation, body: body), on: id)
                return reply.body.isEmpty ? .null : try JSON.parse(reply.body)
            }
            let channels = try await make(.listChannels).arrayValue
            let guild = (id: id, channel: try #require(channels?.first?["id"]?.snowflakeValue))
            self.guild = guild
            role = try #require(try await make(.createRole, ["name": "old"])["id"]?.snowflakeValue)
            spare = try #require(try await make(.createChannel, ["name": "spare"])["id"]?.snowflakeValue)
            try await home.join(member, guild, by: owner)
            _ = try await make(.createInvite(guild.channel, code: "once"), ["max_uses": 1])
            message = try #require(
                try await home.say("pinned", in: guild.channel, as: owner)["id"]?.snowflakeValue)
        }

        /// An id of a guild that would live at a node.
        static func freeID(at home: TestNode) throws -> GuildID {
            while true {
                let id = try home.realtime.mintID()
                if home.system.owns(Slot(of: id)) { return id }
            }
        }

        /// The commands of the guild, each of which answers something else the second time.
        var commands: [(caller: Caller, operation: GuildOperation, body: JSON, status: Int)] {
            [
                (owner, .createRole, ["name": "new"], 200), (owner, .deleteRole(role), .null, 204),
                (owner, .createChannel, ["name": "new"], 201), (owner, .deleteChannel(spare), .null, 200),
                (owner, .createInvite(guild.channel, code: "fresh"), ["unique": true], 200),
                (guest, .acceptInvite(code: "once"), .null, 200), (owner, .kick(member.userID), .null, 204),
            ]
        }

        /// Performs commands whose answers get lost once all of them are carried out; gives the answers to the repeats.
        func lose(
            _ loss: Loss, of commands: [@Sendable () async throws -> CommandReply], whenDone: () async throws -> Bool
        ) async throws -> [CommandReply] {
            cluster.network.drop(from: home.id, to: edge.id)
            return try await withThrowingTaskGroup(of: (Int, CommandReply).self) { group in
                for (number, command) in commands.enumerated() {
                    group.addTask { (number, try await command()) }
                }
                try await eventually("all is carried out", whenDone)
                switch loss {
                case .answer:
                    cluster.network.cut(home.id, edge.id)
                    cluster.network.heal(home.id, edge.id)
                case .owner: try await cluster.takeOver(from: 0, by: 2)
                }
                return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
            }
        }

        func performed(of key: Snowflake) async throws -> Int {
            let count = PreparedQuery(
                "test.performed", "SELECT count(*) FROM performed_commands WHERE target_key = $1", [.int8])
            return Int(try await edge.database.run(Statement(count, [.id(key)]))[0].integer(0) as Int64)
        }
    }

    @Test(arguments: Loss.allCases) func changesOfAGuild(_ loss: Loss) async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await Scene(in: cluster)
            let commands = scene.commands
            let replies = try await scene.lose(
                loss,
                of: commands.map { command in
                    {
                        try await scene.edge.realtime.perform(
                            GuildCommand(
                                caller: command.caller, idempotencyKey: .random(in: 1 ... .max),
                                operation: command.operation, body: command.body), on: scene.guild.id)
                    }
                }
            ) { try await scene.performed(of: scene.guild.id) == commands.count }
            #expect(replies.map(\.status) == commands.map(\.status))
            let stored = try #require(try await GuildLoading(scene.edge.database).load(scene.guild.id))
            #expect(stored.roles.map(\.name).sorted() == ["@everyone", "new"])
            #expect(stored.channels.map(\.name).sorted() == ["general", "new"])
            #expect(Set(stored.members.map(\.member.userID)) == [scene.owner.userID, scene.guest.userID])
            let codes = try await Invites(scene.edge.database).list(guildID: scene.guild.id).map(\.code)
            #expect(codes.contains("fresh") && !codes.contains("once"))
            let answered = try replies.filter { !$0.body.isEmpty }.map { try JSON.parse($0.body) }
            #expect(answered[0]["id"]?.snowflakeValue == stored.roles.first { $0.name == "new" }?.id)
            #expect(answered[1]["id"]?.snowflakeValue == stored.channels.first { $0.name == "new" }?.id)
            #expect(answered[2]["id"]?.snowflakeValue == scene.spare)
            #expect(answered[3]["code"] == "fresh" && answered[4]["code"] == "once")
            #expect(try await scene.performed(of: scene.guild.id) == commands.count)
        }
    }

    @Test(arguments: Loss.allCases) func aPin(_ loss: Loss) async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await Scene(in: cluster)
            let replies = try await scene.lose(
                loss,
                of: [
                    {
                        try await scene.edge.realtime.perform(
                            ChannelCommand(
                                caller: scene.owner, idempotencyKey: .random(in: 1 ... .max),
                                operation: .pin(scene.message)), on: scene.guild.channel)
                    }
                ]
            ) { try await Pins(scene.edge.database).count(in: scene.guild.channel) == 1 }
            #expect(replies == [.nothing])
            #expect(try await Pins(scene.edge.database).count(in: scene.guild.channel) == 1)
            let stored = try await Messages(scene.edge.database).history(
                .newest, in: scene.guild.channel, guildID: scene.guild.id, limit: 9)
            #expect(stored.map(\.kind) == [.pinned, .plain])
        }
    }

    @Test(arguments: Loss.allCases) func aGroupAndAFounding(_ loss: Loss) async throws {
        try await TestCluster.run(nodes: 3) { cluster in
            let scene = try await Scene(in: cluster)
            try await scene.home.befriend(scene.owner, scene.member)
            try await scene.home.befriend(scene.owner, scene.guest)
            let founded = try Scene.freeID(at: scene.home)
            let others: JSON = .array([scene.member, scene.guest].map { .string($0.userID.description) })
            let replies = try await scene.lose(
                loss,
                of: [
                    {
                        try await scene.edge.realtime.perform(
                            GuildCommand(
                                caller: scene.owner, idempotencyKey: .random(in: 1 ... .max), operation: .create,
                                body: ["name": "Founded"]), on: founded)
                    },
                    {
                        try await scene.edge.realtime.perform(
                            UserCommand(
                                caller: scene.owner, idempotencyKey: .random(in: 1 ... .max),
                                operation: .openDirectMessage, body: ["recipients": others]))
                    },
                ]
            ) {
                let guilds = try await scene.performed(of: founded)
                return try await guilds + scene.performed(of: scene.owner.userID) == 2
            }
            #expect(replies.map(\.status) == [201, 200])
            let stored = try #require(try await GuildLoading(scene.edge.database).load(founded))
            #expect(stored.guild.name == "Founded" && stored.members.count == 1)
            let groups = try await DirectMessages(scene.edge.database).list(of: scene.owner.userID)
            #expect(groups.map(\.channel.id) == [try JSON.parse(replies[1].body)["id"]?.snowflakeValue])
        }
    }
}
