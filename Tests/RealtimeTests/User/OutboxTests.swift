import FluxCore
import FluxStore
import FluxTestSupport
import Testing

@testable import FluxRealtime

/// I11: what a change means for others reaches them, also when the node that made it dies between its commit and its hint.
@Suite(.serialized) struct OutboxTests {
    private static func mint(_ first: Snowflake) -> () throws(APIError) -> Snowflake {
        var next = first.rawValue
        return { () throws(APIError) in
            next += 1
            return Snowflake(next)
        }
    }

    /// What a user's command writes.
    private func statements(
        for operation: UserOperation, _ body: JSON = .null, by caller: Caller, about peer: Caller, at url: String
    ) async throws -> [Statement] {
        let database = try TestNode.open(url)
        let loaded = try #require(try await UserLoading(database).load(caller.userID))
        let users = try await Users(database).batch([peer.userID])
        await database.close()
        let state = UserState(loaded)
        let id = Snowflake.lowest(atMilliseconds: Timestamp.now().milliseconds)
        let planning = UserPlanning(now: .now(), users: users, mint: Self.mint(id))
        let plan = try state.plan(UserCommand(caller: caller, operation: operation, body: body), planning)
        return state.writes(for: plan.changes, at: .now()).statements
    }

    /// What a guild's command writes.
    private func statements(
        for operation: GuildOperation, _ body: JSON = .null, by caller: Caller, in guildID: GuildID, at url: String
    ) async throws -> [Statement] {
        let database = try TestNode.open(url)
        let loaded = try #require(try await GuildLoading(database).load(guildID))
        await database.close()
        var state = GuildState(loaded, invites: [], bans: [])
        let mint = Self.mint(Snowflake.lowest(atMilliseconds: Timestamp.now().milliseconds))
        let planning = GuildPlanning(now: .now(), mint: mint)
        let plan = try state.plan(GuildCommand(caller: caller, operation: operation, body: body), planning)
        let notices = try plan.notices(of: guildID, members: state.memberIDs, at: .now(), mint: mint)
        return state.statements(for: plan.changes) + [.insertOutbox(notices)]
    }

    @Test func aRequestWhoseSenderDiedIsThereAfterTheRestart() async throws {
        let url = try await TestPostgres.shared.database().url
        let (ada, bob) = try await TestNode.run(url: url) { node in
            (try await node.person("ada"), try await node.person("bob"))
        }
        let asked = try await statements(for: .requestFriend(bob.userID), by: ada, about: bob, at: url)
        try await TestNode.commitAndDie(asked, at: url)
        try await TestNode.run(url: url) { node in
            let client = try await node.connect(bob)
            #expect(client.ready["relationships"]?.arrayValue?.map { $0["type"] } == [3])
            try await node.outboxIsEmpty()
            let list = try await node.act(.listRelationships, as: ada)
            #expect(list.arrayValue?.map { $0["type"] } == [4])
        }
    }

    @Test func nobodyHasToAskAfterTheRestart() async throws {
        let url = try await TestPostgres.shared.database().url
        let (ada, bob) = try await TestNode.run(url: url) { node in
            (try await node.person("ada"), try await node.person("bob"))
        }
        let asked = try await statements(for: .requestFriend(bob.userID), by: ada, about: bob, at: url)
        try await TestNode.commitAndDie(asked, at: url)
        try await TestNode.run(url: url) { node in
            try await node.outboxIsEmpty()
            let side = try await Relationships(node.database).find(of: bob.userID, with: ada.userID)
            #expect(side?.kind == .incoming)
        }
    }

    @Test func aHintThatWasLostIsMadeUpForByTheSweep() async throws {
        try await TestNode.run { node in
            let (ada, bob) = (try await node.person("ada"), try await node.person("bob"))
            let client = try await node.connect(bob)
            let asked = try await statements(for: .requestFriend(bob.userID), by: ada, about: bob, at: node.url)
            try await TestNode.commitAndDie(asked, at: node.url)
            #expect(client.relationshipEvents.isEmpty)
            await node.realtime.outboxSweep.sweep(Slot.all)
            await client.untilRelationshipEvents(1)
            // Swept again, it is not there a second time.
            await node.realtime.outboxSweep.sweep(Slot.all)
            #expect(client.relationshipEvents == ["+3"])
            #expect(try await Outbox(node.database).pending(in: Slot.all).isEmpty)
        }
    }

    @Test func aKickReachesTheMemberThoughTheGuildsNodeDied() async throws {
        try await TestNode.run { node in
            let (ada, bob) = (try await node.person("ada"), try await node.person("bob"))
            let guild = try await node.guild(of: ada)
            try await node.join(bob, guild, by: ada)
            let client = try await node.connect(bob)
            #expect(client.ready["guilds"]?.arrayValue?.count == 1)
            let kicked = try await statements(for: .kick(bob.userID), by: ada, in: guild.id, at: node.url)
            try await TestNode.commitAndDie(kicked, at: node.url)
            await node.realtime.outboxSweep.sweep(Slot.all)
            await client.until(.guildDelete)
            #expect(client.bodies(.guildDelete).first?["id"]?.snowflakeValue == guild.id)
            // The dead node's guild still has the member; not even so does anything of it follow.
            try await node.say("after", in: guild.channel, as: ada)
            try await node.act(.setNote(ada.userID), ["note": "end"], as: bob)
            await client.until(.userNoteUpdate)
            #expect(client.contents(of: guild.channel).isEmpty)
            let again = try await node.connect(bob, loop: 1)
            #expect(again.ready["guilds"] == [])
        }
    }

    @Test func aKickStandsAfterARestart() async throws {
        let url = try await TestPostgres.shared.database().url
        let (ada, bob, guild) = try await TestNode.run(url: url) { node in
            let (ada, bob) = (try await node.person("ada"), try await node.person("bob"))
            let guild = try await node.guild(of: ada)
            try await node.join(bob, guild, by: ada)
            return (ada, bob, guild)
        }
        let kicked = try await statements(for: .kick(bob.userID), by: ada, in: guild.id, at: url)
        try await TestNode.commitAndDie(kicked, at: url)
        try await TestNode.run(url: url) { node in
            #expect(try await node.connect(bob).ready["guilds"] == [])
            try await node.outboxIsEmpty()
            // Who comes back is there again.
            try await node.join(bob, guild, by: ada)
            #expect(try await node.connect(bob).ready["guilds"]?.arrayValue?.count == 1)
        }
    }

    @Test func aMemberWhoIsKickedAndComesBackHearsBoth() async throws {
        try await TestNode.run { node in
            let (ada, bob) = (try await node.person("ada"), try await node.person("bob"))
            let guild = try await node.guild(of: ada)
            let client = try await node.connect(bob, loop: 1)
            for round in 1...5 {
                try await node.join(bob, guild, by: ada)
                await client.until(.guildCreate, count: round)
                let text = "round \(round)"
                try await node.say(text, in: guild.channel, as: ada)
                await client.until { dispatches, _, _ in
                    dispatches.contains { $0.body["content"]?.stringValue == text }
                }
                _ = try await node.realtime.perform(
                    GuildCommand(caller: ada, operation: .kick(bob.userID)), on: guild.id)
                try await node.outboxIsEmpty()
                #expect(try await node.connect(bob).ready["guilds"] == [])
            }
            await client.until(.guildDelete, count: 5)
            try await node.outboxIsEmpty()
            #expect(client.count(.guildDelete) == 5 && client.count(.guildCreate) == 5)
            #expect(client.broken == nil)
        }
    }

    @Test func aDeletedGuildLeavesEverybodysList() async throws {
        try await TestNode.run { node in
            let (ada, bob) = (try await node.person("ada"), try await node.person("bob"))
            let guild = try await node.guild(of: ada)
            try await node.join(bob, guild, by: ada)
            let client = try await node.connect(bob)
            _ = try await node.realtime.perform(GuildCommand(caller: ada, operation: .delete), on: guild.id)
            await client.until(.guildDelete)
            try await node.outboxIsEmpty()
            for caller in [ada, bob] { #expect(try await node.connect(caller).ready["guilds"] == []) }
            #expect(client.count(.guildDelete) == 1)
        }
    }

    @Test func aBannedMembersMessagesGoAfterTheRestart() async throws {
        let url = try await TestPostgres.shared.database().url
        let (ada, bob, guild) = try await TestNode.run(url: url) { node in
            let (ada, bob) = (try await node.person("ada"), try await node.person("bob"))
            let guild = try await node.guild(of: ada)
            try await node.join(bob, guild, by: ada)
            for number in 1...3 { try await node.say("spam \(number)", in: guild.channel, as: bob) }
            try await node.say("fine", in: guild.channel, as: ada)
            return (ada, bob, guild)
        }
        let banned = try await statements(
            for: .ban(bob.userID), ["delete_message_seconds": 3600], by: ada, in: guild.id, at: url)
        try await TestNode.commitAndDie(banned, at: url)
        try await TestNode.run(url: url) { node in
            try await node.outboxIsEmpty()
            let reply = try await node.realtime.perform(
                ChannelCommand(caller: ada, operation: .history(.newest, limit: 50)), on: guild.channel)
            let history = try JSON.parse(reply.body)
            #expect(history.arrayValue?.compactMap { $0["content"]?.stringValue } == ["fine"])
            #expect(try await node.connect(bob).ready["guilds"] == [])
        }
    }

    @Test func entriesAreTakenOnce() async throws {
        let database = try await TestPostgres.shared.database().open()
        let entries = (1...5).map { number in
            UserNotice.membership(GuildID(7)).entry(
                id: Snowflake(UInt64(number)), to: UserID(UInt64(number % 2 + 1)), at: .now())
        }
        try await database.run(.insertOutbox(entries))
        let outbox = Outbox(database)
        #expect(try await outbox.pending(in: Slot.all).map(\.id.rawValue) == [1, 2, 3, 4, 5])
        let mine = try await outbox.pending(for: UserID(1), kind: StreamKey.Kind.user.rawValue)
        #expect(mine.map(\.id.rawValue) == [2, 4])
        #expect(mine.compactMap { UserNotice($0) } == [.membership(GuildID(7)), .membership(GuildID(7))])
        try await database.run(.takeFromOutbox(Snowflake(2)))
        await #expect(throws: StoreError.self) { try await database.run(.takeFromOutbox(Snowflake(2))) }
        await database.close()
    }
}
