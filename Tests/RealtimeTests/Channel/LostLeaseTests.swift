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
}
