import FluxCluster
import FluxCore
import FluxStore
import FluxTestSupport
import Testing

@testable import FluxRealtime

/// A guild that cannot be had while a session opens comes to it when it can be had.
@Suite struct LateGuildTests {
    private func rename(_ table: String, to name: String, on node: TestNode) async throws {
        try await node.control.run(
            Statement(PreparedQuery("test.rename.\(table)", "ALTER TABLE \(table) RENAME TO \(name)")))
    }

    /// An owner that has lost the guild and does not know it yet knows nothing of who has joined since.
    @Test func whoIsRefusedByAnOwnerThatDoesNotKnowThemYetIsLetInLater() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let member = try await node.person("member")
            let client = try await node.connect(member)
            let key = try #require(SessionKey(client.sessionID))
            // The session hears that its user has joined before the guild's owner does.
            await withCheckedContinuation { continuation in
                node.realtime.services.run(on: client.loop) { loop in
                    if let session = loop.sessions[key] { loop.sessions.joinGuild(guild.id, in: session) }
                    continuation.resume()
                }
            }
            // It listens; and what the guild's owner is asked after that comes behind the session's question.
            try await eventually("the session listens") {
                await withCheckedContinuation { continuation in
                    node.realtime.services.run(onLoopOf: .guild(guild.id)) { loop in
                        continuation.resume(returning: loop.relays.hasSubscribers(.guild(guild.id)))
                    }
                }
            }
            _ = try await node.realtime.perform(
                GuildCommand(caller: owner, operation: .get(withCounts: false)), on: guild.id)
            try await node.join(member, guild, by: owner)
            try await node.say("hello", in: guild.channel, as: owner)
            await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .guildCreate } }
            try await node.say("again", in: guild.channel, as: owner)
            await client.until { dispatches, _, _ in
                dispatches.contains { $0.kind == .messageCreate && $0.body["content"] == "again" }
            }
            #expect(client.count(.guildDelete) == 0 && client.count(.guildCreate) == 1)
        }
    }

    /// Runs something on the loop of a session.
    private func onSession<Value: Sendable>(
        of client: TestClient, at node: TestNode, _ body: @escaping @Sendable (EngineLoop, Session) -> Value
    ) async throws -> Value? {
        let key = try #require(SessionKey(client.sessionID))
        return await withCheckedContinuation { continuation in
            node.realtime.services.run(on: client.loop) { loop in
                continuation.resume(returning: loop.sessions[key].map { body(loop, $0) })
            }
        }
    }

    /// A guild, its owner, and a session of a member.
    private func guildWithMember(
        on node: TestNode
    ) async throws -> (owner: Caller, guild: (id: GuildID, channel: ChannelID), member: Caller, client: TestClient) {
        let owner = try await node.person("owner")
        let guild = try await node.guild(of: owner)
        let member = try await node.person("member")
        try await node.join(member, guild, by: owner)
        return (owner, guild, member, try await node.connect(member))
    }

    /// The session was opened with a guild as an owner knew it that had lost it. Its stream goes on with how the user was removed; that
    /// they have joined since was in READY already.
    @Test func whoIsAMemberStillGetsAGuildBackThatALaterOwnerSaysTheyWereRemovedFrom() async throws {
        try await TestNode.run { node in
            let (owner, guild, _, client) = try await guildWithMember(on: node)
            try await node.say("before", in: guild.channel, as: owner)
            await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .messageCreate } }
            _ = try await onSession(of: client, at: node) { loop, session in
                let place = session.places.first { $0.key == .guild(guild.id) }
                guard let position = place?.position else { return }
                let removal = StreamEvent(
                    position: StreamPosition(epoch: position.epoch + 1, number: 1), kind: .guildDelete,
                    body: Array(#"{"id":"\#(guild.id)"}"#.utf8), audience: .nobody,
                    control: .memberRemoved(session.userID))
                loop.registry.deliver(removal, of: .guild(guild.id))
            }
            await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .guildCreate } }
            try await node.say("after", in: guild.channel, as: owner)
            await client.until { dispatches, _, _ in dispatches.count { $0.kind == .messageCreate } == 2 }
            #expect(client.contents(of: guild.channel) == ["before", "after"])
            #expect(client.count(.guildDelete) == 1 && client.count(.guildCreate) == 1)
        }
    }

    @Test func whoIsNoMemberIsToldSoOnce() async throws {
        try await TestNode.run { node in
            let (owner, guild, member, client) = try await guildWithMember(on: node)
            _ = try await onSession(of: client, at: node) { _, session in
                session.subscriptions[.guild(guild.id)]?.snapshotEpoch = 0
            }
            _ = try await node.realtime.perform(
                GuildCommand(caller: owner, operation: .kick(member.userID)), on: guild.id)
            await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .guildDelete } }
            // The guild was asked, or the user's own stream has said it: neither is told again.
            try await eventually("nothing is in doubt any more") {
                try await onSession(of: client, at: node) { _, session in
                    session.doubtedLosses.isEmpty && session.subscriptions[.guild(guild.id)] == nil
                } == true
            }
            let second = try await node.guild(of: owner)
            try await node.join(member, second, by: owner)
            await client.until { dispatches, _, _ in dispatches.contains { $0.kind == .guildCreate } }
            #expect(client.count(.guildDelete) == 1 && client.count(.guildCreate) == 1)
        }
    }

    @Test(arguments: [false, true]) func aGuildThatCannotBeReadComesLater(isBot: Bool) async throws {
        let url = try await TestPostgres.shared.database().url
        let (owner, guild) = try await TestNode.run(url: url) { node in
            let owner = try await node.person("owner")
            return (Caller(userID: owner.userID, isBot: isBot), try await node.guild(of: owner))
        }
        try await TestNode.run(url: url) { node in
            // No node has the guild in memory, and none can read it.
            try await rename("bans", to: "bans_away", on: node)
            let client = try await node.connect(owner)
            let shown = try #require(client.dispatches.first?.body["guilds"]?.arrayValue?.first)
            #expect(shown["id"]?.snowflakeValue == guild.id)
            #expect(shown["unavailable"] == true && shown["channels"] == nil)

            // The client loses its connection meanwhile, and comes back on another loop.
            await client.drop()
            let again = TestClient(node: node, caller: owner, loop: 1)
            try await again.resume(client.sessionID, after: client.lastSequence)
            await again.until { dispatches, _, _ in dispatches.contains { $0.kind == .resumed } }
            #expect(again.count(.guildCreate) == 0)

            try await rename("bans_away", to: "bans", on: node)
            await again.until { dispatches, _, _ in dispatches.contains { $0.kind == .guildCreate } }
            let came = try #require(again.dispatches.first { $0.kind == .guildCreate }?.body)
            #expect(came["id"]?.snowflakeValue == guild.id && came["unavailable"] == false)
            try await node.say("hello", in: guild.channel, as: owner)
            await again.until { dispatches, _, _ in dispatches.contains { $0.kind == .messageCreate } }
            #expect(again.contents(of: guild.channel) == ["hello"])
            #expect(again.count(.guildCreate) == 1 && again.broken == nil)
        }
    }
}
