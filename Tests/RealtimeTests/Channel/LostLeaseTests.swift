import FluxCluster
import FluxCore
import FluxStore
import Testing

@testable import FluxRealtime

/// Another node has taken a slot, and nobody has told its owner yet (I3, I9).
@Suite struct LostLeaseTests {
    @Test func nothingIsAcknowledgedThatWasLostWithTheLease() async throws {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            try await node.say("kept", in: guild.channel, as: owner, nonce: "kept")
            let leases = LeaseStore(node.database)
            let other = try await leases.register(node: 99, name: "other", lanes: 2, at: .now()).identity
            let slot = Slot(of: guild.id)
            _ = try await leases.acquire([slot], for: other, losersAreDead: false)
            let sending = Task {
                do {
                    try await node.say("lost", in: guild.channel, as: owner, nonce: "lost")
                    Issue.record("a message was acknowledged that nobody can store")
                } catch {}
            }
            // The lane's word is enough: the node does not take itself for the owner any more.
            while node.system.assignment(of: slot).node == node.id { try await Task.sleep(for: .milliseconds(5)) }
            let stored = try await Messages(node.database).history(
                .newest, in: guild.channel, guildID: guild.id, limit: 10)
            #expect(stored.map(\.content) == ["kept"])
            sending.cancel()
        }
    }

    /// What asks for nothing new is answered by nobody who may have missed what became of it since.
    @Test(arguments: ["a role", "a reaction"]) func whatIsSoAlreadyIsNotSaidByWhoHasLostTheLease(kind: String)
        async throws
    {
        try await TestNode.run { node in
            let owner = try await node.person("owner")
            let guild = try await node.guild(of: owner)
            let made = try await node.realtime.perform(
                GuildCommand(caller: owner, operation: .createRole, body: ["name": "r"]), on: guild.id)
            let role = try #require(try JSON.parse(made.body)["id"]?.snowflakeValue)
            let said = try await node.say("kept", in: guild.channel, as: owner)
            let message = try #require(said["id"]?.snowflakeValue)
            let thumb = try #require(Emoji(pathSegment: "👍"))
            let ask: @Sendable () async throws -> Void = {
                if kind == "a role" {
                    _ = try await node.realtime.perform(
                        GuildCommand(caller: owner, operation: .addRole(owner.userID, role)), on: guild.id)
                } else {
                    _ = try await node.realtime.perform(
                        ChannelCommand(caller: owner, operation: .addReaction(message, thumb)), on: guild.channel)
                }
            }
            for _ in 0..<2 { try await ask() }
            let leases = LeaseStore(node.database)
            let other = try await leases.register(node: 99, name: "other", lanes: 2, at: .now()).identity
            let slot = Slot(of: guild.id)
            _ = try await leases.acquire([slot], for: other, losersAreDead: false)
            let asking = Task {
                do {
                    try await ask()
                    Issue.record("it is said that \(kind) is there, which the new owner may have taken away")
                } catch {}
            }
            while node.system.assignment(of: slot).node == node.id { try await Task.sleep(for: .milliseconds(5)) }
            asking.cancel()
        }
    }
}
